"""Metrics of predicted labels against true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textbatch.types import Float64Array, Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMetrics:
    """Metrics of one label.

    Attributes:
        label: The label.
        precision: Share of right answers among the rows predicted as this label; None if no row
            was.
        recall: Share of right answers among the rows that have this label; None if no row has it.
        f1: The harmonic mean of both; None if both are None.
        rows: Number of rows that have this label.
    """

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Metrics over rows with a known true label.

    Attributes:
        rows: Number of rows.
        accuracy: Share of right answers.
        macro_f1: Mean F1 over the labels that occur as true or predicted labels.
        labels: Metrics of each label, in the order of the bundle.
        confusion: Number of rows for each true label (first axis) and predicted label (second
            axis).
    """

    rows: int
    accuracy: float
    macro_f1: float
    labels: list[LabelMetrics]
    confusion: list[list[int]]


def measure(
    true: Int64Array,
    predicted: Int64Array,
    labels: Sequence[str],
    *,
    weights: Float64Array | None = None,
) -> Metrics:
    """Compare predicted labels with true ones.

    Args:
        true: True label ids. Shape `(rows,)`.
        predicted: Predicted label ids. -1 means no label, which counts as wrong. Shape `(rows,)`.
        labels: Names of the ids.
        weights: Of the rows, in all shares; None if they count the same. Rows are counted without
            weights. Shape `(rows,)`.
    """
    # Imported where it is used: a report knows the types above, and `score` makes reports.
    from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

    ids = list(range(len(labels)))
    precision, recall, f1, _ = precision_recall_fscore_support(
        true, predicted, labels=ids, zero_division=np.nan, sample_weight=weights
    )
    rows = np.bincount(true[true >= 0], minlength=len(labels))
    per_label = [
        LabelMetrics(
            label=label,
            precision=_defined(precision[i]),
            recall=_defined(recall[i]),
            f1=_defined(f1[i]),
            rows=int(rows[i]),
        )
        for i, label in enumerate(labels)
    ]
    return Metrics(
        rows=len(true),
        accuracy=float(accuracy_score(true, predicted, sample_weight=weights)),
        macro_f1=float(np.nanmean(f1)),
        labels=per_label,
        confusion=confusion_matrix(true, predicted, labels=ids).tolist(),
    )


def _defined(value: float) -> float | None:
    # A label that was never predicted has no precision, which is not the same as precision 0.
    return None if np.isnan(value) else float(value)
