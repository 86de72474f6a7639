"""Metrics of sets of labels against the true sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textbatch.model.quality.calibration import ECE_BINS
from textbatch.model.quality.metrics import LabelMetrics
from textbatch.types import BoolArray, Float32Array


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelMetrics:
    """Metrics over rows with any number of labels.

    Attributes:
        rows: Number of rows.
        micro_f1: F1 over all pairs of a row and a label together.
        macro_f1: Mean F1 over the labels that occur as true or predicted ones.
        subset_accuracy: Share of rows whose labels are exactly the true ones.
        mean_true: Mean number of true labels of a row.
        mean_predicted: Mean number of predicted labels of a row.
        labels: Metrics of each label, in the order of the bundle.
    """

    rows: int
    micro_f1: float
    macro_f1: float
    subset_accuracy: float
    mean_true: float
    mean_predicted: float
    labels: list[LabelMetrics]


def measure_sets(
    true: BoolArray,
    predicted: BoolArray,
    labels: Sequence[str],
    *,
    beyond: BoolArray | None = None,
) -> MultiLabelMetrics:
    """Compare sets of labels. A row without evidence has an empty set.

    Where neither side has any label at all, F1 is 1: nothing was missed.

    Args:
        true: Whether each row has each label. Shape `(rows, labels)`.
        predicted: Whether each row was given each label. Shape `(rows, labels)`.
        labels: Names of the labels.
        beyond: Rows that also have a label which is none of these; they are never exactly right.
            None for no such row. Shape `(rows,)`.
    """
    right = (true & predicted).sum(axis=0)
    given, there = predicted.sum(axis=0), true.sum(axis=0)
    measured = [
        _of_label(label, *map(int, counts))
        for label, *counts in zip(labels, right, given, there, strict=True)
    ]
    known = [one.f1 for one in measured if one.f1 is not None]
    exact = (true == predicted).all(axis=1)
    if beyond is not None:
        exact &= ~beyond
    pairs = int(given.sum() + there.sum())
    return MultiLabelMetrics(
        rows=len(true),
        micro_f1=2 * int(right.sum()) / pairs if pairs else 1.0,
        macro_f1=float(np.mean(known)) if known else 1.0,
        subset_accuracy=float(exact.mean()),
        mean_true=float(true.sum(axis=1).mean()),
        mean_predicted=float(predicted.sum(axis=1).mean()),
        labels=measured,
    )


def pair_calibration_error(
    probabilities: Float32Array, true: BoolArray, *, num_bins: int = ECE_BINS
) -> float:
    """Mean gap between probability and share of true pairs, over bins of equal width.

    Args:
        probabilities: Shape `(rows, labels)`.
        true: Whether each row has each label. Shape `(rows, labels)`.
        num_bins: Number of bins between 0 and 1.
    """
    values = probabilities.astype(np.float64).ravel()
    bins = np.minimum((values * num_bins).astype(int), num_bins - 1)
    gaps = np.bincount(bins, weights=true.ravel() - values, minlength=num_bins)
    return float(np.abs(gaps).sum() / max(1, len(values)))


def _of_label(label: str, right: int, given: int, there: int) -> LabelMetrics:
    return LabelMetrics(
        label=label,
        precision=right / given if given else None,
        recall=right / there if there else None,
        f1=2 * right / (given + there) if given + there else None,
        rows=there,
    )
