"""Two models on the same rows: how much they differ, and how much of it may be chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: 95 % of a normal distribution are within so many standard deviations.
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """The difference of two accuracies on the same rows.

    Attributes:
        difference: The first one less the second one.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        p_value: How often chance alone would make the two differ at least as much.
    """

    difference: float
    low: float
    high: float
    p_value: float


def paired_difference(gained: int, lost: int, *, rows: int) -> PairedDifference:
    """Compare two accuracies on the same rows.

    The interval is that of Agresti and Min (2005): half a row is added to each of the four counts,
    so that it holds for few rows too. The p-value is that of McNemar's exact test.

    Args:
        gained: Rows that only the first model answers rightly.
        lost: Rows that only the second one answers rightly.
        rows: All rows.
    """
    from scipy.stats import binomtest

    more, less, total = gained + 0.5, lost + 0.5, rows + 2
    middle = (more - less) / total
    wide = _NORMAL_95 * math.sqrt(more + less - (more - less) ** 2 / total) / total
    return PairedDifference(
        difference=(gained - lost) / rows,
        low=max(-1.0, middle - wide),
        high=min(1.0, middle + wide),
        p_value=float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0,
    )
