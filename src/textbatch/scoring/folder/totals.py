"""The reports of many files as one."""

from __future__ import annotations

from collections import Counter

import numpy as np

from textbatch.data.output.records import PartRecord, RowTotals
from textbatch.report.scoring import RunReport
from textbatch.report.terminal.progress import Progress
from textbatch.types import CONFIDENCE_BINS, Status

_ROWS = ("rows_in", "rows_out", "rows_quarantined")


class Totals:
    """Adds up what happened to the rows of each file."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        self._confidence_sum = 0.0
        self._histogram = np.zeros(CONFIDENCE_BINS, np.int64)
        self._finished_before = 0

    @property
    def bad_rows(self) -> int:
        """Rows that `--max-bad-rows` is about."""
        return self._counts["rows_quarantined"] + self._statuses["bad_text"]

    @property
    def rows_in(self) -> int:
        """Rows read."""
        return self._counts["rows_in"]

    @property
    def rows_out(self) -> int:
        """Rows in the output."""
        return self._counts["rows_out"]

    @property
    def rows_quarantined(self) -> int:
        """Rows that left the output."""
        return self._counts["rows_quarantined"]

    @property
    def statuses(self) -> dict[str, int]:
        """Rows in the output, by status in the order of the codes."""
        return {name: self._statuses[name] for name in Status.names() if self._statuses[name]}

    @property
    def labels(self) -> dict[str, int]:
        """Rows by predicted label."""
        return dict(self._labels)

    def add(self, one: PartRecord, *, resumed: bool = False) -> None:
        """Count a file, from its line in the ledger.

        Args:
            one: The file.
            resumed: Whether an earlier run has scored it.
        """
        for name in _ROWS:
            self._counts[name] += getattr(one, name)
        self._histogram += np.array(one.confidence_histogram or 0, np.int64)
        if resumed:
            self._counts["rows_resumed"] += one.rows_in
            self._finished_before += one.rows_in
        else:
            self._counts["rows_resumed"] += one.rows_resumed
            self._counts["tokens"] += one.tokens
            self._counts["unknown_tokens"] += one.unknown_tokens
        self._statuses.update(one.statuses)
        self._labels.update(one.labels)
        self._confidence_sum += (one.mean_confidence or 0.0) * sum(one.labels.values())

    def are_of(self, rows: RowTotals) -> bool:
        """Whether these are the totals that a record says."""
        return (
            all(getattr(rows, name) == self._counts[name] for name in _ROWS)
            and rows.statuses == self.statuses
            and rows.labels == self.labels
        )

    def fill(self, report: RunReport, *, seconds: float) -> None:
        """Put the sums into the job's report."""
        for name in (*_ROWS, "rows_resumed", "tokens", "unknown_tokens"):
            setattr(report, name, self._counts[name])
        report.statuses, report.labels = self.statuses, self.labels
        report.confidence_histogram = self._histogram.tolist()
        labelled = sum(self._labels.values())
        report.mean_confidence = self._confidence_sum / labelled if labelled else None
        # Files that an earlier run had finished took none of this run's time.
        rows = self.rows_in - self._finished_before
        if rows and seconds > 0:
            report.rows_per_second = round(rows / seconds, 1)


class PartProgress:
    """Passes the progress of file after file on as that of one job, by their sizes."""

    def __init__(self, progress: Progress, total_bytes: int) -> None:
        self._progress, self._total = progress, max(1, total_bytes)
        self._before = self._size = 0
        self._rows: int | None = None
        self._done = 0

    def next(self, size: int) -> None:
        """A file of so many bytes comes next."""
        self._before += self._size
        self._size = size

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """The file's rows start to be scored."""
        self._rows, self._done = total_rows, 0

    def advance(self, rows: int, share: float | None = None) -> None:
        """`rows` more of the file are done."""
        self._done += rows
        if share is None:
            share = self._done / self._rows if self._rows else 1.0
        self._progress.advance(rows, (self._before + share * self._size) / self._total)

    def end(self) -> None:
        """The whole job ends elsewhere."""
