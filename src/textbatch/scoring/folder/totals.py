"""The counts and the progress of many files together."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from textbatch.data.output.answer_counts import AnswerCounts, WorkCounts
from textbatch.data.output.records import PartRecord, RowCounts, RowTotals
from textbatch.data.output.signs import Signs, UnknownTokens
from textbatch.report.terminal.progress import Progress
from textbatch.types import CONFIDENCE_BINS, ReadShare, Status

_ROWS = ("rows_in", "rows_out", "rows_quarantined")


class Totals:
    """Adds up the counts of files.

    Attributes:
        rows_resumed: Rows of parts that an earlier run finished, or whose predictions were taken
            from its journal.
        tokens: Tokens of the rows that this run predicted.
        unknown_tokens: Those of them that are not in the vocabulary.
        rows_early: Rows that the linear model answered alone in this run.
        rows_cached: Rows whose answers came from `--cache`.
        spread: How tokens and unknown ones vary between the rows that this run predicted.
        work_of: Of several models the tokens of each.
    """

    def __init__(self) -> None:
        """Nothing is added yet."""
        self.rows_resumed = self.tokens = self.unknown_tokens = 0
        self.rows_early = self.rows_cached = 0
        self.spread = UnknownTokens()
        self.work_of: dict[str, WorkCounts] = {}
        self._rows: Counter[str] = Counter()
        self._answers = _Answers()
        self._models: dict[str, _Answers] = {}
        self._fingerprints: dict[str, str] = {}
        self._finished_before, self._several = 0, False

    def add(self, one: PartRecord, *, resumed: bool = False) -> None:
        """Add a file.

        Args:
            one: Its line in the ledger.
            resumed: Whether an earlier run has finished it.
        """
        for name in _ROWS:
            self._rows[name] += getattr(one, name)
        self._several |= one.multi_label
        if resumed:
            self.rows_resumed += one.rows_in
            self._finished_before += one.rows_in
        else:
            self.rows_resumed += one.rows_resumed
            self.tokens += one.tokens
            self.unknown_tokens += one.unknown_tokens
            self.rows_early += one.rows_early
            self.rows_cached += one.rows_cached
            self.spread += one.spread
            for name, more in one.work_of.items():
                self.work_of[name] = self.work_of.get(name, WorkCounts()) + more
        self._answers.add(one)
        for name, answers in one.models.items():
            self._fingerprints[name] = answers.fingerprint
            self._models.setdefault(name, _Answers()).add(answers)

    def totals(self) -> RowTotals:
        """The sums that `_SUCCESS` holds; statuses in the order of their codes, labels by name."""
        return RowTotals(
            **self._rows_told(),
            **self._answers.sums(),
            models={
                name: AnswerCounts(fingerprint=self._fingerprints[name], **one.sums())
                for name, one in self._models.items()
            },
        )

    def counts(self) -> RowCounts:
        """The sums, with the mean confidence and its histogram."""
        return RowCounts(
            **self._rows_told(),
            **self._answers.counts(several=self._several),
            models={
                name: AnswerCounts(fingerprint=self._fingerprints[name], **one.counts())
                for name, one in self._models.items()
            },
        )

    def _rows_told(self) -> dict[str, Any]:
        return {"multi_label": self._several, **{name: self._rows[name] for name in _ROWS}}

    def rate(self, seconds: float) -> float | None:
        """Rows per second, without the files that an earlier run had finished.

        Args:
            seconds: The time that this run took.

        Returns:
            None if there was no row.
        """
        rows = self._rows["rows_in"] - self._finished_before
        return round(rows / seconds, 1) if rows and seconds > 0 else None


class _Answers:
    """Adds up the answers of one model."""

    def __init__(self) -> None:
        self._statuses: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        # One for each file: their exact sum is the same in whatever order the files end.
        self._confidence_sums: list[float] = []
        self._histogram = np.zeros(CONFIDENCE_BINS, np.int64)
        self._signs: Signs | None = None

    def add(self, one: RowCounts | AnswerCounts) -> None:
        """Add those to a file."""
        self._histogram += np.array(one.confidence_histogram or 0, np.int64)
        if one.signs is not None:
            self._signs = one.signs if self._signs is None else self._signs + one.signs
        self._statuses.update(one.statuses)
        self._labels.update(one.labels)
        self._confidence_sums.append((one.mean_confidence or 0.0) * sum(one.labels.values()))

    def sums(self) -> dict[str, Any]:
        """The fields of a record that are sums."""
        return {
            "statuses": {n: self._statuses[n] for n in Status.names() if self._statuses[n]},
            "labels": dict(sorted(self._labels.items())),
            "signs": self._signs,
        }

    def counts(self, *, several: bool = False) -> dict[str, Any]:
        """The sums, with the mean confidence and its histogram.

        Args:
            several: Whether a row has any number of labels; then no confidence is told.
        """
        labelled = sum(self._labels.values())
        if several:
            return self.sums()
        return {
            **self.sums(),
            "mean_confidence": math.fsum(self._confidence_sums) / labelled if labelled else None,
            "confidence_histogram": self._histogram.tolist(),
        }


class PartProgress:
    """Turns the progress of each file into that of the whole job, by the files' sizes."""

    def __init__(self, progress: Progress, total_bytes: int) -> None:
        self._progress, self._total = progress, max(1, total_bytes)
        self._before = self._size = 0
        self._rows: int | None = None
        self._done = 0

    def next(self, size: int) -> None:
        """Begin the next file, of `size` bytes."""
        self._before += self._size
        self._size = size

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Begin the file's rows."""
        self._rows, self._done = total_rows, 0

    def advance(self, rows: int, share: float | None = None) -> None:
        """Note that `rows` more rows of the file are done."""
        self._done += rows
        if share is None:
            share = self._done / self._rows if self._rows else 1.0
        self._progress.advance(rows, ReadShare(self._before + share * self._size, self._total))

    def end(self) -> None:
        """Nothing: the end of a file is not the end of the job."""
