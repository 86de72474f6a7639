"""Words with similar vectors."""

from __future__ import annotations

import numpy as np

from textbatch.text.vocabulary import PAD_ID, RESERVED
from textbatch.types import Float32Array, Int32Array

#: Only the most frequent words can be neighbours. The vectors of rare words are mostly noise, and
#: the work grows with words × candidates.
_CANDIDATES = 20_000
_BLOCK = 1024


def nearest_words(vectors: Float32Array, *, count: int = 5, least: float = 0.6) -> Int32Array:
    """Find the nearest words of each word by cosine, as gensim's `most_similar` does.

    Args:
        vectors: The embedding table: the reserved tokens first, then words by frequency. Shape
            `(vocabulary_size, dim)`.
        count: Limit on the neighbours of a word.
        least: Smallest cosine of a neighbour.

    Returns:
        Token ids, nearest first; `PAD_ID` if there are fewer. Shape `(vocabulary_size, count)`.
    """
    first = len(RESERVED)
    found = np.full((len(vectors), count), PAD_ID, np.int32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(norms > 0, norms, 1)
    candidates = unit[first : first + _CANDIDATES]
    take = min(count, len(candidates))
    for start in range(first, len(vectors) if take else first, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(vectors)))
        cosines = unit[rows] @ candidates.T
        own = np.flatnonzero(rows < first + len(candidates))
        cosines[own, rows[own] - first] = -1
        best = np.argpartition(-cosines, take - 1, axis=1)[:, :take]
        values = np.take_along_axis(cosines, best, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        near = np.take_along_axis(values, order, axis=1) >= least
        best = np.take_along_axis(best, order, axis=1)
        found[rows, :take] = np.where(near, best + first, PAD_ID)
    return found
