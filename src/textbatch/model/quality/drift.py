"""How different the rows of a run are from those of the training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: A difference from the first number on is commonly called moderate, from the second on large.
SOME_DRIFT, LARGE_DRIFT = 0.1, 0.25

# An empty class would make the index infinite.
_LEAST_SHARE = 1e-4


def population_stability(expected: Sequence[float], found: Sequence[float]) -> float | None:
    """Compute the population stability index of two mixes of the same classes.

    It is the sum over classes of `(found - expected) * ln(found / expected)`. Both are shares.

    Args:
        expected: Counts or shares of the classes in training.
        found: Counts or shares of the classes in the run.

    Returns:
        0 for equal mixes; None if one of them is empty.
    """
    if not (sum(expected) and sum(found)):
        return None
    first, second = (
        np.maximum(np.asarray(counts, np.float64) / sum(counts), _LEAST_SHARE)
        for counts in (expected, found)
    )
    return float(((second - first) * np.log(second / first)).sum())
