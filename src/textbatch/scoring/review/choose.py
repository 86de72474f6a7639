"""Rows whose labels would teach most: those that the model is least sure of, and unlike each other.

Among the least sure rows, one after the other is taken: the one with the largest product of its
doubt and its distance to all that are taken already. (As in the core-set approach of Sener and
Savarese 2018, on the words of the texts.)
`python -m benchmarks.review` compares it with random rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from textbatch.types import Float32Array, Int64Array

#: Columns of the hashed words. Two words of a text rarely share one.
_COLUMNS = 1 << 10
#: Only the beginning of a longer text is compared.
_MOST_WORDS = 256
_WORD = re.compile(r"\w+")


def choose(doubts: NDArray[np.float64], texts: Sequence[str], budget: int) -> Int64Array:
    """Choose rows, the most instructive first. The same rows give the same choice.

    Args:
        doubts: How unsure the model is of each row, 0 to 1. Shape `(rows,)`.
        texts: The texts.
        budget: How many rows to choose.

    Returns:
        Their places. Shape `(chosen,)`.
    """
    words = _words(texts)
    left = np.asarray(doubts, np.float64) + 1e-6
    nearest = np.zeros(len(texts), np.float32)
    chosen: list[int] = []
    for _ in range(min(budget, len(texts))):
        # The first of equals: they stand in the order of their doubt.
        best = int(np.argmax(left * (1 - nearest)))
        chosen.append(best)
        left[best] = -1.0
        np.maximum(nearest, np.minimum(words @ words[best], np.float32(0.999)), out=nearest)
        nearest[best] = 0.0
    return np.array(chosen, np.int64)


def _words(texts: Sequence[str]) -> Float32Array:
    """The words of each text, rare ones weighing more, as unit vectors. Shape `(rows, columns)`."""
    found = np.zeros((len(texts), _COLUMNS), np.float32)
    for row, text in enumerate(texts):
        for word in _WORD.findall(text.lower())[:_MOST_WORDS]:
            found[row, crc32(word.encode()) % _COLUMNS] += 1
    found = np.log1p(found)
    found *= np.log((1 + len(texts)) / (1 + (found > 0).sum(axis=0))).astype(np.float32) + 1
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(lengths, 1e-9), np.float32)
