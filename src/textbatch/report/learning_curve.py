"""What more rows would bring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

#: With fewer rows than this, what a quarter of them teaches tells nothing.
_LEAST_ROWS = 50
#: A gain that is smaller than this is told as none.
_LEAST_GAIN = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve:
    """Accuracy of a linear model by the number of rows that it learned from.

    Attributes:
        rows: Numbers of rows, ascending.
        accuracy: The accuracy with so many, on rows that it has not seen.
        doubled: What twice the last number of rows may bring; None where nothing tells.
    """

    rows: list[int]
    accuracy: list[float]
    doubled: float | None

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]]) -> Self:
        """Draw a power law through the errors: `error = a * rows ** -b` (Hestness et al. 2017).

        Args:
            points: Numbers of rows, ascending, with the accuracy.
        """
        rows = [round(count) for count, _ in points]
        accuracy = [value for _, value in points]
        return cls(rows=rows, accuracy=accuracy, doubled=_doubled(rows, accuracy))

    def line(self) -> str:
        """Describe it in one line, for the terminal."""
        told = ", ".join(
            f"{value:.3f} with {count:,} rows"
            for count, value in zip(self.rows, self.accuracy, strict=True)
        )
        return f"accuracy of a linear model alone: {told}{self._more()}"

    def _more(self) -> str:
        if self.doubled is None:
            return ""
        gain = self.doubled - self.accuracy[-1]
        if gain < _LEAST_GAIN:
            return "; more rows like these would bring little"
        return f"; twice as many rows may bring about {100 * gain:.1f} points"


def _doubled(rows: Sequence[int], accuracy: Sequence[float]) -> float | None:
    if (
        len(rows) < 2
        or rows[0] < _LEAST_ROWS
        or len(set(rows)) < len(rows)
        or not all(0 < one < 1 for one in accuracy)
    ):
        return None
    x = [math.log(count) for count in rows]
    y = [math.log(1 - value) for value in accuracy]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    slope /= sum((a - mean_x) ** 2 for a in x)
    # More rows do not make a model worse: where it looks so, that is chance.
    return 1 - (1 - accuracy[-1]) * 2 ** min(0.0, slope)
