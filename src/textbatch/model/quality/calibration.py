"""Confidences that mean what they say: temperature scaling (Guo et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta

from textbatch.data.strict_json import Count, Share
from textbatch.errors import DataError
from textbatch.types import Float32Array, Float64Array, Int64Array

#: Bounds of a temperature that a bundle may have.
Temperature = Annotated[float, Meta(ge=0.01, le=100.0)]
#: A negative log-likelihood.
Loss = Annotated[float, Meta(ge=0.0)]

#: Bins of the expected calibration error, as in Guo et al.
ECE_BINS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The temperature, and the errors with and without it on the rows that it was fitted on.

    Attributes:
        temperature: Logits are divided by it.
        rows: Number of rows that it was fitted on.
        ece_before: Expected calibration error at temperature 1.
        ece_after: The same at `temperature`.
        nll_before: Mean negative log-likelihood at temperature 1.
        nll_after: The same at `temperature`.
    """

    temperature: Temperature
    rows: Count
    ece_before: Share
    ece_after: Share
    nll_before: Loss
    nll_after: Loss


def softmax(logits: Float32Array, temperature: float = 1.0) -> Float32Array:
    """Turn logits into probabilities.

    It is computed in double precision, and for each row alike. So the bits of a row do not depend
    on the other rows.

    Args:
        logits: Shape `(rows, labels)`.
        temperature: Logits are divided by it.

    Returns:
        Shape `(rows, labels)`.
    """
    scaled = logits.astype(np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True, initial=-np.inf))
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    return np.asarray(shares, np.float32)


def negative_log_likelihood(
    logits: Float32Array,
    label_ids: Int64Array,
    temperature: float = 1.0,
    *,
    weights: Float64Array | None = None,
) -> float:
    """Mean over rows of -log p(true label).

    Args:
        logits: Shape `(rows, labels)`.
        label_ids: True labels. Shape `(rows,)`.
        temperature: Logits are divided by it.
        weights: Of the rows; None if they count the same. Shape `(rows,)`.
    """
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    log_likelihood = scaled[np.arange(len(scaled)), label_ids] - np.log(np.exp(scaled).sum(axis=1))
    if weights is not None:
        return float(-np.average(log_likelihood, weights=weights))
    return float(-log_likelihood.mean())


def expected_calibration_error(
    probabilities: Float32Array,
    label_ids: Int64Array,
    *,
    num_bins: int = ECE_BINS,
    weights: Float64Array | None = None,
) -> float:
    """Mean gap between confidence and accuracy, over bins of confidence of equal width.

    Args:
        probabilities: Shape `(rows, labels)`.
        label_ids: True labels. Shape `(rows,)`.
        num_bins: Number of bins between 0 and 1.
        weights: Of the rows; None if they count the same. Shape `(rows,)`.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == label_ids
    bins = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    gaps, total = correct - confidence, float(max(1, len(bins)))
    if weights is not None and len(bins):
        gaps, total = gaps * weights, float(weights.sum())
    return float(np.abs(np.bincount(bins, weights=gaps, minlength=num_bins)).sum() / total)


def chance_calibration_error(
    probabilities: Float32Array, *, num_bins: int = ECE_BINS, draws: int = 1_000
) -> float:
    """The calibration error that confidences which mean what they say pass once in 20 times.

    By resampling under consistency (Bröcker and Smith 2007): each answer is right with its own
    confidence. The sum of a bin is taken as normal.

    Args:
        probabilities: Shape `(rows, labels)`.
        num_bins: Number of bins between 0 and 1.
        draws: How often it is drawn, always with the same seed.
    """
    confidence = probabilities.max(axis=1, initial=0).astype(np.float64)
    bins = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    variance = np.bincount(bins, weights=confidence * (1 - confidence), minlength=num_bins)
    gaps = np.random.default_rng(0).standard_normal((draws, num_bins)) * np.sqrt(variance)
    return float(np.quantile(np.abs(gaps).sum(axis=1), 0.95) / max(1, len(bins)))


def fit_temperature(
    logits: Float32Array, label_ids: Int64Array, weights: Float64Array | None = None
) -> Calibration:
    """Find the temperature with the smallest loss on held-out rows; 1 if none is better than 1.

    The search runs over the logarithm of the temperature, so that the temperature stays positive.

    Args:
        logits: Logits of rows that training has not seen. Shape `(rows, labels)`.
        label_ids: True labels. Shape `(rows,)`.
        weights: Of the rows; None if they count the same. Shape `(rows,)`.

    Raises:
        DataError: There are no rows.
    """
    from scipy.optimize import minimize_scalar

    if not len(label_ids):
        raise DataError("no validation row has a word that training knows", "add more rows")

    def loss(temperature: float) -> float:
        return negative_log_likelihood(logits, label_ids, temperature, weights=weights)

    def error(temperature: float = 1.0) -> float:
        shares = softmax(logits, temperature)
        return expected_calibration_error(shares, label_ids, weights=weights)

    found = minimize_scalar(
        lambda log_t: loss(float(np.exp(log_t))),
        bounds=(np.log(0.05), np.log(20.0)),
        method="bounded",
    )
    temperature = min(1.0, float(np.exp(found.x)), key=loss)
    return Calibration(
        temperature=temperature,
        rows=len(label_ids),
        ece_before=error(),
        ece_after=error(temperature),
        nll_before=loss(1.0),
        nll_after=loss(temperature),
    )


def fit_temperature_to(logits: Float32Array, targets: Float32Array) -> float:
    """Find the temperature with which one model is as sure of rows as another one is.

    Knowledge distillation's loss (Hinton et al. 2015): the cross-entropy of the two softmax
    distributions. It needs no labels, and is steadier than a fit to few rows that are nearly all
    right.

    Args:
        logits: Logits of the model. Shape `(rows, labels)`, at least one row.
        targets: Calibrated logits of the other model. Shape `(rows, labels)`.
    """
    from scipy.optimize import minimize_scalar

    shares = softmax(targets).astype(np.float64)
    scaled = logits.astype(np.float64)
    scaled -= scaled.max(axis=1, keepdims=True)

    def loss(log_t: float) -> float:
        divided = scaled / np.exp(log_t)
        log_shares = divided - np.log(np.exp(divided).sum(axis=1, keepdims=True))
        return float(-(shares * log_shares).sum(axis=1).mean())

    found = minimize_scalar(loss, bounds=(np.log(0.01), np.log(20.0)), method="bounded")
    # At the bounds, the search ends a little beside them.
    return float(np.clip(np.exp(found.x), 0.01, 20.0))
