"""Metrics of predicted labels against true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from textbatch.types import Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMetrics:
    """How one label fared.

    Attributes:
        label: The label.
        precision: Of the rows predicted so, the share that is so; None without such rows.
        recall: Of the rows that are so, the share predicted so; None without such rows.
        f1: Their harmonic mean; None when both are None.
        rows: Rows that are so.
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
        rows: Rows counted.
        accuracy: Share of right labels.
        macro_f1: Mean F1 over the labels that occur among true or predicted ones.
        labels: Per label, in the bundle's order.
        confusion: Rows by true label (first axis) and predicted label (second axis).
    """

    rows: int
    accuracy: float
    macro_f1: float
    labels: list[LabelMetrics]
    confusion: list[list[int]]


def measure(true: Int64Array, predicted: Int64Array, labels: Sequence[str]) -> Metrics:
    """Compare labels.

    Args:
        true: True label ids. Shape `(rows,)`.
        predicted: Predicted label ids, -1 where the job gave none, which counts as wrong.
            Shape `(rows,)`.
        labels: Names of the ids.
    """
    ids = list(range(len(labels)))
    precision, recall, f1, rows = precision_recall_fscore_support(
        true, predicted, labels=ids, zero_division=np.nan
    )
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
        accuracy=float(accuracy_score(true, predicted)),
        macro_f1=float(np.nanmean(f1)),
        labels=per_label,
        confusion=confusion_matrix(true, predicted, labels=ids).tolist(),
    )


def _defined(value: float) -> float | None:
    # Undefined stays undefined: a label nobody predicted has no precision, not precision 0.
    return None if np.isnan(value) else float(value)
