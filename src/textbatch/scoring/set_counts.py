"""Counting rows that have any number of labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from textbatch.model.quality.multi_label import given_labels
from textbatch.types import Float32Array, Predictions, Status, has_label


class SetCounts:
    """Counts the answers of a model that gives a row any number of labels."""

    def __init__(self, labels: tuple[str, ...], thresholds: Float32Array) -> None:
        """Nothing is counted yet.

        Args:
            labels: The labels, in order.
            thresholds: The least probability of each. Shape `(labels,)`.
        """
        self._labels, self._thresholds = labels, thresholds
        self._statuses = np.zeros(len(Status), np.int64)
        self._rows_of = np.zeros(len(labels), np.int64)

    def add(self, predictions: Predictions) -> None:
        """Count the answers to a chunk."""
        self._statuses += np.bincount(predictions.status, minlength=len(Status))
        labelled = predictions.probabilities[has_label(predictions.status)]
        self._rows_of += given_labels(labelled, self._thresholds).sum(axis=0)

    def counts(self) -> dict[str, Any]:
        """The fields of a record that tell of the answers."""
        names = Status.names()
        return {
            "statuses": {n: int(c) for n, c in zip(names, self._statuses, strict=True) if c},
            "labels": dict(zip(self._labels, self._rows_of.tolist(), strict=True)),
            "multi_label": True,
        }
