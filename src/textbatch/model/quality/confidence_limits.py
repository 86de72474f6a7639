"""What a limit on the confidence does: how many rows are answered, and how many of these rightly.

The risk-coverage curve of selective classification (El-Yaniv and Wiener 2010), at a few limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textbatch.data.strict_json import Count, Share
from textbatch.types import BoolArray, Float32Array

#: The limits that are shown. With 0 every row that has evidence is answered.
LIMITS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
#: An interval holds the true accuracy with this probability.
_CERTAINTY = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitMeasure:
    """What `score --min-confidence` with this limit would do to the measured rows.

    Attributes:
        min_confidence: The limit.
        rows: Rows that are answered: their confidence is not below it.
        answered: Their share of all measured rows, those without evidence too.
        accuracy: Share of right answers among them; None if there are none.
        low: Lower end of the 95 % interval of the accuracy (Clopper and Pearson 1934).
        high: Upper end of it.
    """

    min_confidence: Share
    rows: Count
    answered: Share
    accuracy: Share | None
    low: Share | None
    high: Share | None


def measure_limits(
    confidence: Float32Array, right: BoolArray, *, rows: int
) -> tuple[LimitMeasure, ...]:
    """Measure each of `LIMITS`.

    Args:
        confidence: Of the rows with evidence. Shape `(answers,)`.
        right: Whether their answers are right. Shape `(answers,)`.
        rows: All measured rows, also those without evidence.
    """
    found = []
    for limit in LIMITS:
        # In single precision, as `score` compares.
        kept = right[confidence >= np.float32(limit)]
        low, high = _interval(int(kept.sum()), len(kept))
        found.append(
            LimitMeasure(
                min_confidence=limit,
                rows=len(kept),
                answered=len(kept) / rows if rows else 0.0,
                accuracy=float(kept.mean()) if len(kept) else None,
                low=low,
                high=high,
            )
        )
    return tuple(found)


def _interval(right: int, answers: int) -> tuple[float | None, float | None]:
    from scipy.stats import beta

    if not answers:
        return None, None
    tail = (1 - _CERTAINTY) / 2
    low = float(beta.ppf(tail, right, answers - right + 1)) if right else 0.0
    high = float(beta.ppf(1 - tail, right + 1, answers - right)) if right < answers else 1.0
    return low, high
