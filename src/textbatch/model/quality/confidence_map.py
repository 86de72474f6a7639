"""From confidences of any origin to confidences that mean what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from textbatch.model.quality.calibration import ECE_BINS
from textbatch.types import BoolArray, Float64Array, Int64Array

#: `none` leaves confidences as they are.
MapMethod = Literal["none", "logistic", "isotonic"]
#: With fewer answers than this, isotonic regression follows chance.
ISOTONIC_ROWS = 1_000
#: Confidences are taken for at least this far from 0 and 1, where the logit is infinite.
_LEAST = 1e-6
_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceMap:
    """A function of the confidence, which rises or stays where it is.

    Attributes:
        method: `logistic`: `sigmoid(slope * logit(confidence) + intercept)`. `isotonic`: straight
            lines between points. `none`: the confidence itself.
        slope: Like 1 over a temperature: below 1 for a model that is too sure.
        intercept: Above 0 for a model that is not sure enough of all.
        points: Confidence, and what it means, ascending.
    """

    method: MapMethod = "none"
    slope: float = 1.0
    intercept: float = 0.0
    points: Sequence[tuple[float, float]] = ()

    def __call__(self, confidence: Float64Array) -> Float64Array:
        """Map confidences. NaN stays NaN.

        Args:
            confidence: From 0 to 1. Shape `(rows,)`.

        Returns:
            From 0 to 1. Shape `(rows,)`.
        """
        if self.method == "none":
            return confidence
        if self.method == "isotonic":
            given, meant = zip(*self.points, strict=True)
            return np.where(np.isnan(confidence), np.nan, np.interp(confidence, given, meant))
        return np.asarray(1 / (1 + np.exp(-(self.slope * _logit(confidence) + self.intercept))))


def fit_map(method: MapMethod, confidence: Float64Array, right: BoolArray) -> ConfidenceMap:
    """Fit a map to answers with known truth.

    Logistic: Platt 1999 with his targets, on the logit of the confidence. Isotonic: Zadrozny and
    Elkan 2002; its shares are kept from 0 and 1, which nothing can show.

    Args:
        method: Which kind of map.
        confidence: From 0 to 1. Shape `(answers,)`, at least one.
        right: Whether each answer is right. Shape `(answers,)`.
    """
    if method == "none":
        return ConfidenceMap()
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        least = 1 / (len(right) + 2)
        fitted = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
        fitted.fit(confidence, right.astype(np.float64))
        points = zip(fitted.X_thresholds_.tolist(), fitted.y_thresholds_.tolist(), strict=True)
        return ConfidenceMap(method=method, points=tuple(points))
    from sklearn.linear_model import LogisticRegression

    rights, wrongs = int(right.sum()), int((~right).sum())
    target = np.where(right, (rights + 1) / (rights + 2), 1 / (wrongs + 2))
    given = np.tile(_logit(confidence), 2)[:, None]
    outcomes = np.repeat([1, 0], len(right))
    # Nearly without a penalty: its little is for confidences that are all the same.
    model = LogisticRegression(C=1e6).fit(given, outcomes, np.concatenate([target, 1 - target]))
    return ConfidenceMap(
        method=method, slope=float(model.coef_[0, 0]), intercept=float(model.intercept_[0])
    )


def cross_fitted(
    method: MapMethod, confidence: Float64Array, right: BoolArray, *, seed: int = 0
) -> Float64Array:
    """What a map makes of answers that it was not fitted to: by five folds, drawn by the seed.

    Args:
        method: Which kind of map.
        confidence: From 0 to 1. Shape `(answers,)`, at least 10.
        right: Whether each answer is right. Shape `(answers,)`.
        seed: Seed of the folds.

    Returns:
        Shape `(answers,)`.
    """
    if method == "none":
        return confidence
    fold = np.random.default_rng(seed).permutation(len(right)) % _FOLDS
    mapped = np.empty(len(right))
    for one in range(_FOLDS):
        here = fold == one
        mapped[here] = fit_map(method, confidence[~here], right[~here])(confidence[here])
    return mapped


def log_loss(confidence: Float64Array, right: BoolArray) -> float:
    """Mean of -log p(what came true), in nats an answer.

    Args:
        confidence: That the answer is right. Shape `(answers,)`.
        right: Whether it is. Shape `(answers,)`.
    """
    clipped = np.clip(confidence, _LEAST, 1 - _LEAST)
    return float(-np.log(np.where(right, clipped, 1 - clipped)).mean())


def calibration_gap(confidence: Float64Array, right: BoolArray) -> float:
    """The expected calibration error, in the bins of `expected_calibration_error`.

    Args:
        confidence: That the answer is right. Shape `(answers,)`.
        right: Whether it is. Shape `(answers,)`.
    """
    bins: Int64Array = np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / max(1, len(right)))


def _logit(confidence: Float64Array) -> Float64Array:
    clipped = np.clip(confidence, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(clipped / (1 - clipped)), np.float64)
