"""Rows whose labels would teach most: those that the model is least sure of (Lewis and Gale 1994).

`python -m benchmarks.review` compares it with random rows, and with least sure rows that are also
unlike each other, which taught less.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textbatch.types import Int64Array

_WORD = re.compile(r"\w+")


def choose(doubts: NDArray[np.float64], texts: Sequence[str], budget: int) -> Int64Array:
    """Choose rows, the least sure first. The same rows give the same choice.

    Texts with the same words take one place: a label for one of them is a label for all.

    Args:
        doubts: How unsure the model is of each row, 0 to 1. Shape `(rows,)`.
        texts: The texts.
        budget: How many rows to choose at most.

    Returns:
        Their places. Shape `(chosen,)`.
    """
    chosen: list[int] = []
    seen: set[tuple[str, ...]] = set()
    for place in np.argsort(-np.asarray(doubts, np.float64), kind="stable").tolist():
        words = tuple(_WORD.findall(texts[place].casefold())) or (texts[place],)
        if len(chosen) == budget:
            break
        if words not in seen:
            seen.add(words)
            chosen.append(place)
    return np.array(chosen, np.int64)
