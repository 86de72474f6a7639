"""Rows as the mean of their words' character n-grams, for a linear classifier to fit on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textbatch.types import Float32Array, Int64Array

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: Length of these features beside TF-IDF's 1: about as long for a row of everyday words.
_SCALE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SubwordFeatures:
    """The n-grams that are kept, with their weights, and the rows that they were counted on.

    Attributes:
        kept: Which of the n-grams counted, ascending. Shape `(subwords,)`.
        scale: What one of each adds to a row of one word: IDF, scaled. Shape `(subwords,)`.
        matrix: Shape `(rows, subwords)`.
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
    """Count n-grams on rows: each the mean over its words, smoothed IDF.

    Means, not TF-IDF's logarithms of a row's sums: so a word's part in a row's margins is the same
    in every row, and can be kept for each word of the vocabulary.

    Args:
        lengths: Words per row. Shape `(rows,)`.
        words: Numbers of the rows' words, row after row. Shape `(tokens,)`.
        entries: Words and numbers of n-grams: which word has which. Shapes `(entries,)`.
        min_rows: N-grams in fewer rows are left out.
        most: Of those left, so many in the most rows are kept.
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
