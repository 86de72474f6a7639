"""How right answers without labels probably are: confidences, checked on held-out rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from textbatch.data.output.signs import CONFIDENCE_UNIT, Signs
from textbatch.model.quality.reference import Reference
from textbatch.types import Float64Array

#: 95 % of a normal distribution are within so many standard deviations.
_NORMAL_95 = 1.959963984540054
#: How far log-odds are expected to be off after temperature scaling: their shift, and their slope.
_PRIOR = (0.15, 0.1)
_STEPS = 50
_LOWEST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedAccuracy:
    """The share of right answers that is to be expected.

    Attributes:
        accuracy: The share.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        rows: Answered rows, of which it is.
        held_out: Held-out rows that the confidences were checked with.
    """

    accuracy: float
    low: float
    high: float
    rows: int
    held_out: int


def estimated_accuracy(reference: Reference | None, now: Signs | None) -> EstimatedAccuracy | None:
    """Estimate the accuracy of answered rows whose labels nobody knows.

    A calibrated confidence is the probability that the answer is right, so their mean is the
    accuracy to be expected. How far the confidences are off is learnt from the held-out rows: a
    shift and a slope of the log-odds (Platt 1999), with a normal prior that expects little of both,
    so that few held-out rows change little. The interval holds what is uncertain about the two
    (Laplace's approximation), and that the rows themselves are a sample.

    It holds for texts like the held-out ones: where the report tells of drift, it is too good.

    Args:
        reference: The held-out rows; None if they are not known.
        now: The rows; None if they are not known.

    Returns:
        None where something is not known, or there is no row.
    """
    if reference is None or now is None or not now.rows or not reference.signs.rows:
        return None
    # The sum of the confidences of a bin tells where in the bin they are.
    held, counts = _log_odds(reference.signs)
    right = np.array(reference.right, np.float64)[np.array(reference.signs.confidences) > 0]
    found, covariance = _recalibrated(held, counts, right)
    odds, weights = _log_odds(now)
    chances = _logistic(found[0] + found[1] * odds)
    shares = weights / weights.sum()
    accuracy = float(shares @ chances)
    slopes = shares * chances * (1 - chances)
    gradient = np.array([slopes.sum(), slopes @ odds])
    variance = float(gradient @ covariance @ gradient)
    variance += float(shares @ (chances * (1 - chances))) / float(weights.sum())
    wide = _NORMAL_95 * math.sqrt(variance)
    return EstimatedAccuracy(
        accuracy=accuracy,
        low=max(0.0, accuracy - wide),
        high=min(1.0, accuracy + wide),
        rows=now.rows,
        held_out=reference.signs.rows,
    )


def _recalibrated(
    odds: Float64Array, counts: Float64Array, right: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Shift and slope of the log-odds that held-out answers show, and their covariance.

    Args:
        odds: Log-odds of the mean confidence of each bin. Shape `(bins,)`.
        counts: Answers of each bin. Shape `(bins,)`.
        right: Right answers of each bin. Shape `(bins,)`.
    """
    design = np.stack([np.ones_like(odds), odds], axis=1)
    expected, precision = np.array([0.0, 1.0]), np.diag([1 / wide**2 for wide in _PRIOR])
    found: Float64Array = expected
    for _ in range(_STEPS):
        chances = _logistic(design @ found)
        gradient = design.T @ (right - counts * chances) - precision @ (found - expected)
        curvature = (design * (counts * chances * (1 - chances))[:, None]).T @ design + precision
        step = np.linalg.solve(curvature, gradient)
        # Newton's step, no longer than where the curvature is still about the same.
        found = found + step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < 1e-10:
            break
    return found, np.asarray(np.linalg.inv(curvature), np.float64)


def _log_odds(signs: Signs) -> tuple[Float64Array, Float64Array]:
    """The log-odds of the mean confidence of each bin with rows, and the number of its rows."""
    counts = np.array(signs.confidences, np.float64)
    sums = np.array(signs.confidence_sums, np.float64) * CONFIDENCE_UNIT
    some = counts > 0
    mean = np.clip(sums[some] / counts[some], _LOWEST, 1 - _LOWEST)
    return np.log(mean / (1 - mean)), counts[some]


def _logistic(values: Float64Array) -> Float64Array:
    return np.asarray(1 / (1 + np.exp(-values)), np.float64)
