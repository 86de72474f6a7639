"""Counting rows by status and label, chunk by chunk."""

from __future__ import annotations

import time

import numpy as np

from textbatch.data.output.records import RowCounts
from textbatch.types import CONFIDENCE_BINS, Predictions, Status, has_evidence


class Tally:
    """Counts the rows of one file."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        """Nothing is counted yet. The time for `rate` starts here.

        Args:
            labels: The bundle's labels, in order.
        """
        self._labels = labels
        self._statuses = np.zeros(len(Status), np.int64)
        self._label_counts = np.zeros(len(labels), np.int64)
        self._confidence_sum = 0.0
        self._histogram = np.zeros(CONFIDENCE_BINS, np.int64)
        self._started = time.perf_counter()

    def add(self, predictions: Predictions) -> None:
        """Count a chunk of the output.

        Args:
            predictions: The predictions of its rows; withheld labels have their own status.
        """
        self._statuses += np.bincount(predictions.status, minlength=len(Status))
        labelled = predictions.probabilities[predictions.status <= Status.TRUNCATED]
        self._label_counts += np.bincount(
            labelled.argmax(axis=1), minlength=len(self._label_counts)
        )
        self._confidence_sum += float(labelled.max(axis=1, initial=0).sum(dtype=np.float64))
        answered = predictions.probabilities[has_evidence(predictions.status)]
        sureness = answered.max(axis=1, initial=0)
        self._histogram += np.histogram(sureness, bins=CONFIDENCE_BINS, range=(0.0, 1.0))[0]

    def counts(self, *, quarantined: int) -> RowCounts:
        """The counts so far; every row that was added counts as written.

        Args:
            quarantined: Rows that were moved to the quarantine file.
        """
        rows, labelled = int(self._statuses.sum()), int(self._label_counts.sum())
        names = Status.names()
        return RowCounts(
            rows_in=rows + quarantined,
            rows_out=rows,
            rows_quarantined=quarantined,
            statuses={n: int(c) for n, c in zip(names, self._statuses, strict=True) if c},
            labels=dict(zip(self._labels, self._label_counts.tolist(), strict=True)),
            mean_confidence=self._confidence_sum / labelled if labelled else None,
            confidence_histogram=self._histogram.tolist(),
        )

    def rate(self, rows: int) -> float | None:
        """Rows per second so far.

        Args:
            rows: How many were read.

        Returns:
            None where there was no row.
        """
        return round(rows / (time.perf_counter() - self._started), 1) if rows else None
