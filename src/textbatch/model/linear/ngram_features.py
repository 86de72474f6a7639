"""Character n-grams as features of rows, to fit a linear classifier on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textbatch.types import Float32Array, Int64Array

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: Scale of these features. With it, their length for a row of common words is about 1, as the
#: length of the TF-IDF features is.
_SCALE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SubwordFeatures:
    """The n-grams that are kept, and their values in the rows that they were counted in.

    Attributes:
        kept: Numbers of the n-grams that are kept, ascending. Shape `(subwords,)`.
        scale: Value of each n-gram in a row of one word: its scaled IDF. Shape `(subwords,)`.
        matrix: Values of the n-grams in the rows. Shape `(rows, subwords)`.
    """

    kept: Int64Array
    scale: Float32Array
    matrix: csr_matrix


def subword_features(
    lengths: Int64Array,
    words: Int64Array,
    entries: tuple[Int64Array, Int64Array],
    *,
    min_rows: int,
    most: int,
) -> SubwordFeatures:
    """Compute the values of n-grams in rows: the mean over the words of a row, times smoothed IDF.

    TF-IDF takes the logarithm of the sum over a row instead. With the mean, a word adds the same to
    the margins of every row, so this sum can be stored for each word of the vocabulary.

    Args:
        lengths: Words in each row. Shape `(rows,)`.
        words: Numbers of the words, row after row. Shape `(tokens,)`.
        entries: Numbers of words and numbers of their n-grams. Shapes `(entries,)`.
        min_rows: N-grams that occur in fewer rows are left out.
        most: Limit on the n-grams that are kept; those that occur in the most rows are kept.
    """
    from scipy.sparse import csr_matrix, diags

    rows = np.repeat(np.arange(len(lengths)), lengths)
    num_words = 1 + max(int(words.max(initial=0)), int(entries[0].max(initial=0)))
    num_subwords = 1 + int(entries[1].max(initial=0))
    of_rows = csr_matrix((np.ones(len(rows), np.float32), (rows, words)), (len(lengths), num_words))
    of_words = csr_matrix(
        (np.ones(len(entries[0]), np.float32), entries), (num_words, num_subwords)
    )
    counts = (of_rows @ of_words).tocsr()
    rows_with = np.bincount(counts.indices, minlength=num_subwords)
    often = np.flatnonzero(rows_with >= min_rows)
    kept = np.sort(often[np.argsort(-rows_with[often], kind="stable")[:most]])
    idf = np.log((1 + len(lengths)) / (1 + rows_with[kept])) + 1
    scale = np.asarray(_SCALE * idf, np.float32)
    mean = diags(1 / np.maximum(1, lengths).astype(np.float32))
    matrix = (mean @ counts[:, kept] @ diags(scale)).tocsr()
    return SubwordFeatures(kept=kept, scale=scale, matrix=matrix)
