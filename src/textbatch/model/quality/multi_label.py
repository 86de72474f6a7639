"""Several labels for one text: each has a probability of its own, and a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta

from textbatch.types import BoolArray, Float32Array, Float64Array

#: The farthest that a sigmoid is computed: beyond, a probability is 0 or 1 in single precision.
_FAR = 200.0
#: A label needs so many held-out rows with it, and as many without it, for a curve of its own.
LEAST_ROWS = 5
#: The curve of a label with fewer, which has the network's own logits.
_PLAIN = (1.0, 0.0)
#: The threshold of a label with fewer.
_HALF = 0.5
#: Pulls a curve towards the plain one, as so many rows of doubt would.
_PULL = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCurve:
    """How the logit of one label becomes a probability, and when the label is given.

    Platt scaling (Platt 1999): `probability = sigmoid(scale * logit + offset)`.

    Attributes:
        scale: Above 0, so that a larger logit is a larger probability.
        offset: Of the logit.
        threshold: The label is given from this probability on.
    """

    scale: Annotated[float, Meta(ge=0.01, le=100.0)]
    offset: Annotated[float, Meta(ge=-1_000.0, le=1_000.0)]
    threshold: Annotated[float, Meta(gt=0.0, le=1.0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabel:
    """What `multi_label.json` holds: the labels of a text do not exclude each other.

    Attributes:
        curves: One for each label, in the order of the labels.
    """

    curves: tuple[LabelCurve, ...]

    @property
    def thresholds(self) -> Float32Array:
        """The threshold of each label. Shape `(labels,)`."""
        return np.array([one.threshold for one in self.curves], np.float32)

    def probabilities(self, logits: Float32Array) -> Float32Array:
        """Turn logits into probabilities, each label by itself.

        It is computed in double precision, and for each row alike. So the bits of a row do not
        depend on the other rows.

        Args:
            logits: NaN for rows without evidence, which stay NaN. Shape `(rows, labels)`.

        Returns:
            Shape `(rows, labels)`.
        """
        scales = np.array([one.scale for one in self.curves])
        offsets = np.array([one.offset for one in self.curves])
        return np.asarray(sigmoid(logits.astype(np.float64) * scales + offsets), np.float32)


def sigmoid(values: Float64Array) -> Float64Array:
    """The logistic function; NaN stays NaN. Any shape."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -_FAR, _FAR))))


def given_labels(probabilities: Float32Array, thresholds: Float32Array) -> BoolArray:
    """Which labels are given to rows: those with at least their threshold; none for NaN.

    Args:
        probabilities: Shape `(rows, labels)`.
        thresholds: Shape `(labels,)`.

    Returns:
        Shape `(rows, labels)`.
    """
    return np.asarray(probabilities >= thresholds)


def mean_loss(probabilities: Float32Array, true: BoolArray) -> float:
    """Mean over rows and labels of -log p(what is true of the label), in nats.

    Args:
        probabilities: Shape `(rows, labels)`.
        true: Whether each row has each label. Shape `(rows, labels)`.
    """
    right = np.where(true, probabilities, 1 - probabilities.astype(np.float64))
    return float(-np.log(np.maximum(right, 1e-12)).mean()) if right.size else 0.0


def fit_curves(logits: Float32Array, true: BoolArray) -> MultiLabel:
    """Fit a curve and a threshold for each label to held-out rows.

    The curve is that of the least loss (Platt 1999), pulled a little towards the plain one. The
    threshold is that of the largest F1 on the same rows. A label with few held-out rows has the
    plain curve and the threshold 0.5.

    Args:
        logits: Of rows that training has not seen, all with evidence. Shape `(rows, labels)`.
        true: Whether each row has each label. Shape `(rows, labels)`.
    """
    return MultiLabel(
        curves=tuple(_curve(logits[:, label], true[:, label]) for label in range(logits.shape[1]))
    )


def _curve(logits: Float32Array, true: BoolArray) -> LabelCurve:
    if min(true.sum(), (~true).sum()) < LEAST_ROWS:
        return LabelCurve(scale=_PLAIN[0], offset=_PLAIN[1], threshold=_HALF)
    scale, offset = _fitted(logits.astype(np.float64), true)
    probabilities = sigmoid(logits.astype(np.float64) * scale + offset).astype(np.float32)
    return LabelCurve(scale=scale, offset=offset, threshold=_best_threshold(probabilities, true))


def _fitted(logits: Float64Array, true: BoolArray) -> tuple[float, float]:
    """The scale and offset with the least loss."""
    from scipy.optimize import minimize

    def loss(values: Float64Array) -> float:
        moved = logits * np.exp(values[0]) + values[1]
        # -log p of what is true, without overflow.
        lost = np.logaddexp(0.0, np.where(true, -moved, moved)).sum()
        return float(lost + _PULL * (values[0] ** 2 + values[1] ** 2) / 2)

    bounds = [(np.log(0.05), np.log(20.0)), (-30.0, 30.0)]
    found = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=bounds)
    return float(np.exp(found.x[0])), float(found.x[1])


def _best_threshold(probabilities: Float32Array, true: BoolArray) -> float:
    """The threshold with the largest F1: half-way between two answers, of equal ones the highest.

    It stays between 0.1 and 0.9: a threshold beyond follows the chance of few rows.
    """
    order = np.argsort(-probabilities, kind="stable")
    sorted_ = probabilities[order].astype(np.float64)
    right = np.cumsum(true[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + true.sum())
    # Rows with equal probabilities are given the label together.
    last = np.append(sorted_[1:] < sorted_[:-1], True)
    best = int(np.argmax(np.where(last, f1, -1.0)))
    below = sorted_[best + 1] if best + 1 < len(sorted_) else 0.0
    return float(np.clip((sorted_[best] + below) / 2, 0.1, 0.9))
