"""Counting what became of the rows, chunk by chunk."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from textbatch.data.readers.bad_rows import BadRow
from textbatch.errors import TooManyBadRowsError
from textbatch.report.scoring import RunReport
from textbatch.scoring.limits import BadRowLimit
from textbatch.types import CONFIDENCE_BINS, Predictions, Status, has_evidence


class Tally:
    """Counts what the report shows, chunk by chunk."""

    def __init__(
        self, labels: tuple[str, ...], limit: BadRowLimit, total_rows: int | None = None
    ) -> None:
        self._labels = labels
        self._limit, self._total_rows = limit, total_rows
        self._quarantined = 0
        self._faults = {"bad_utf8"}
        self._statuses = np.zeros(len(Status), np.int64)
        self._label_counts = np.zeros(len(labels), np.int64)
        self._confidence_sum = 0.0
        self._histogram = np.zeros(CONFIDENCE_BINS, np.int64)
        self._first_bad: int | None = None
        self._started = time.perf_counter()

    def add(self, predictions: Predictions) -> None:
        """Count a chunk.

        Raises:
            TooManyBadRowsError: More undecodable rows than allowed so far.
        """
        bad = np.flatnonzero(predictions.status == Status.BAD_TEXT)
        if len(bad) and self._first_bad is None:
            self._first_bad = self.rows_in + int(bad[0]) + 1
        self._statuses += np.bincount(predictions.status, minlength=len(Status))
        labelled = predictions.probabilities[predictions.status <= Status.TRUNCATED]
        self._label_counts += np.bincount(
            labelled.argmax(axis=1), minlength=len(self._label_counts)
        )
        self._confidence_sum += float(labelled.max(axis=1, initial=0).sum(dtype=np.float64))
        answered = predictions.probabilities[has_evidence(predictions.status)]
        sureness = answered.max(axis=1, initial=0)
        self._histogram += np.histogram(sureness, bins=CONFIDENCE_BINS, range=(0.0, 1.0))[0]
        self._check(self._total_rows)

    def quarantine(self, rows: Sequence[BadRow]) -> None:
        """Count rows that leave the output.

        Raises:
            TooManyBadRowsError: More bad rows than allowed so far.
        """
        if rows and self._first_bad is None:
            self._first_bad = rows[0].row
        self._quarantined += len(rows)
        self._faults.update(row.reason for row in rows)
        self._check(self._total_rows)

    def end(self) -> None:
        """All rows are counted.

        Raises:
            TooManyBadRowsError: Their share is larger than allowed.
        """
        self._check(self.rows_in)

    @property
    def rows_in(self) -> int:
        """Rows counted, those in quarantine too."""
        return int(self._statuses.sum()) + self._quarantined

    def _check(self, rows: int | None) -> None:
        count = int(self._statuses[Status.BAD_TEXT]) + self._quarantined
        if self._limit.exceeded(count, rows=rows):
            cells = " or have a wrong number of cells" if len(self._faults) > 1 else ""
            raise TooManyBadRowsError(
                f"{count} rows are not valid UTF-8{cells}, the first is row {self._first_bad}; "
                f"--max-bad-rows allows {self._limit.text}",
                "mend them, or allow that many to go out as bad_text or into --quarantine",
            )

    def fill(self, report: RunReport) -> None:
        """Put the counts into the report."""
        report.rows_in, report.rows_quarantined = self.rows_in, self._quarantined
        names = Status.names()
        report.statuses = {n: int(c) for n, c in zip(names, self._statuses, strict=True) if c}
        report.labels = dict(zip(self._labels, self._label_counts.tolist(), strict=True))
        labelled = int(self._label_counts.sum())
        report.mean_confidence = self._confidence_sum / labelled if labelled else None
        report.confidence_histogram = self._histogram.tolist()
        seconds = time.perf_counter() - self._started
        report.rows_per_second = round(report.rows_in / seconds, 1) if report.rows_in else None
