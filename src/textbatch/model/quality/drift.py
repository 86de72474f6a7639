"""How far what a run saw is from what training saw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: From here on the difference is commonly called some, and large.
SOME_DRIFT, LARGE_DRIFT = 0.1, 0.25

# An empty class would make the index infinite.
_LEAST_SHARE = 1e-4


def population_stability(expected: Sequence[float], found: Sequence[float]) -> float | None:
    """The population stability index of two mixes over the same classes.

    The sum over classes of `(found - expected) * ln(found / expected)`, of their shares.

    Args:
        expected: Counts or shares by class.
        found: Likewise.

    Returns:
        0 for equal mixes; None where one of them is empty.
    """
    if not (sum(expected) and sum(found)):
        return None
    first, second = (
        np.maximum(np.asarray(counts, np.float64) / sum(counts), _LEAST_SHARE)
        for counts in (expected, found)
    )
    return float(((second - first) * np.log(second / first)).sum())
