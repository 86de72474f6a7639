"""Telling how far a training is: rows of each pass, and what it measured."""

from __future__ import annotations

import time
from collections.abc import Callable

from textbatch.model.fitting.settings import Epoch
from textbatch.report.terminal.pace import span
from textbatch.report.terminal.progress import Progress, Silent


class Passes:
    """Listens to a training, pass by pass; early stopping may end it before the last one."""

    def __init__(
        self, *, rows: int, most: int, progress: Progress | None, say: Callable[[str], None]
    ) -> None:
        self._rows, self._most, self._say = rows, most, say
        self._progress = progress or Silent()
        self._done = 0
        self._started: float | None = None

    def advance(self, rows: int) -> None:
        """Rows of the pass are on their way; the first ones start the clock."""
        if self._started is None:
            self._started = time.monotonic()
            self._begin(self._done + 1)
        self._progress.advance(rows)

    def ended(self, epoch: Epoch) -> None:
        """A pass is over: tell what it measured, the rate, and how long it can take yet."""
        self._progress.end()
        self._done += 1
        seconds = time.monotonic() - (self._started or time.monotonic())
        line = epoch.line()
        if seconds:
            rate = self._done * self._rows / seconds
            left = seconds / self._done * (self._most - epoch.number)
            line += f"; {rate:,.0f} rows/s" + (f", < {span(left)} left" if left else "")
        self._say(line)
        self._begin(epoch.number + 1)

    def close(self) -> None:
        """The training is over."""
        self._progress.end()

    def _begin(self, number: int) -> None:
        if number <= self._most:
            self._progress.begin(self._rows, step=f"epoch {number}")
