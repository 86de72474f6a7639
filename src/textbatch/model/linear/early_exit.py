"""Rows that the linear model answers alone, because the network would not change the label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textbatch.types import BoolArray, Float32Array

#: The most labels that may change, as a share of all rows. The limit that training chooses is
#: stricter than the one below which `score` refuses to work.
MAX_CHANGED = 0.0008
#: Steps of Newton's method.
_STEPS = 50
#: Precisions of the normal priors of the intercept and of the slope for a mean gap. Without a gap
#: both labels are about as likely; and where no label changed at all, the fit stays finite.
_PRIOR = (0.25, 0.02)
#: Standard deviations of the fit by which a chance counts as larger.
_DEVIATIONS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRule:
    """Which rows the linear model answers alone, and how sure it is of them.

    Attributes:
        gap: Least difference between the two highest margins of such a row.
        temperature: The margins of such a row are divided by it.
    """

    gap: float
    temperature: float

    def leaving(self, margins: Float32Array) -> BoolArray:
        """Which rows leave. It depends on the margins of each row alone.

        Args:
            margins: Shape `(rows, labels)`.

        Returns:
            Shape `(rows,)`.
        """
        return np.asarray(margin_gaps(margins) >= np.float32(self.gap))


def margin_gaps(margins: Float32Array) -> Float32Array:
    """The difference between the two highest margins of each row. NaN stays NaN.

    Args:
        margins: Shape `(rows, labels)`, at least two labels.

    Returns:
        Shape `(rows,)`.
    """
    highest = np.partition(margins, -2, axis=1)[:, -2:]
    # The margins of a broken model may be infinite. Comparisons with NaN fail.
    with np.errstate(all="ignore"):
        return np.asarray(highest[:, 1] - highest[:, 0], np.float32)


def fit_exit_gap(gaps: Float32Array, changed: BoolArray) -> float | None:
    """Find the least gap with which rows may leave.

    Few held-out rows say little about one row in a thousand. So the chance that the label changes
    is a smooth function of the gap (logistic regression), which is fitted to all rows, and the
    limit is where the chances of all rows that leave add up to `MAX_CHANGED`. The rows that did
    change are counted as well: the stricter of both decides.

    Args:
        gaps: Gaps of rows that no model has seen. Shape `(rows,)`.
        changed: Where the linear model and the full answer have different labels. Shape `(rows,)`.

    Returns:
        The gap; None if no row may leave.
    """
    order = np.argsort(-gaps, kind="stable")
    gaps, changed = gaps[order], changed[order]
    allowed = MAX_CHANGED * len(gaps)
    expected = np.cumsum(_chances(gaps.astype(np.float64), changed))
    fits = (expected <= allowed) & (np.cumsum(changed) <= allowed)
    # Of rows with the same gap, all leave or none.
    fits &= np.append(gaps[1:] < gaps[:-1], True)
    leaving = np.flatnonzero(fits)
    return float(gaps[leaving[-1]]) if len(leaving) else None


def _chances(gaps: NDArray[np.float64], changed: BoolArray) -> NDArray[np.float64]:
    """Chance of each row that its label changes, by its gap. Shape `(rows,)`."""
    scale = float(gaps.mean()) or 1.0
    design = np.stack([np.ones(len(gaps)), gaps / scale], axis=1)
    weights, prior = np.zeros(2), np.diag(_PRIOR)
    for _ in range(_STEPS):
        chances = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (changed - chances) - prior @ weights
        curve = (design * (chances * (1 - chances))[:, None]).T @ design + prior
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-9:
            break
    # The fewer rows, the less sure is the fit. Then the chances count as larger.
    deviations = np.sqrt(np.einsum("ij,jk,ik->i", design, np.linalg.inv(curve), design))
    return np.asarray(1 / (1 + np.exp(-design @ weights - _DEVIATIONS * deviations)))
