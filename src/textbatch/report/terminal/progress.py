"""How far a run is: a bar on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress

from textbatch.report.listener import SILENT, Listener
from textbatch.report.terminal.pace import (
    Count,
    Left,
    Rate,
    counted,
    left,
    part_of,
    rate,
    unbroken,
)
from textbatch.types import ReadShare

#: Seconds between two lines, where there is no bar.
LINE_SECONDS = 10.0
#: The most that is told of the share that is read: when all is read, not all is done.
MOST_READ = 0.99


class Progress(Protocol):
    """Is called as a long step goes on."""

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """A step begins.

        Args:
            total_rows: How many rows, or other units, the step has; None if it is not known.
            step: The step's name.
            unit: What is counted.
        """
        ...

    def advance(self, rows: int, share: float | None = None) -> None:
        """More rows are done.

        Args:
            rows: How many since the last call.
            share: The share of the input that is read, from 0 to 1; None if `total_rows` tells.
        """
        ...

    def end(self) -> None:
        """The step is over, whether it succeeded or failed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a step is.

    Attributes:
        step: The step's name.
        unit: What is counted.
        done: How many are done.
        share: The share that is done, from 0 to 1; None if it is not known.
        per_second: The rate since the beginning.
        seconds_left: The time left at that rate; None if it is not known.
    """

    step: str
    unit: str
    done: int
    share: float | None
    per_second: float
    seconds_left: float | None

    def line(self) -> str:
        """The line that is printed."""
        line = f"{self.step}: {counted(self.done, self.unit)}"
        if self.share is not None:
            line += f" ({part_of(self.share)})"
        line += f", {rate(self.per_second, self.unit)}"
        if self.seconds_left is None:
            return line
        return f"{line}, {left(self.seconds_left, self.share)}"


class Lines(Listener):
    """Shows a line every few seconds."""

    def __init__(
        self, show: Callable[[Standing], None], log: Callable[[str], None] | None = None
    ) -> None:
        """Begin without a step.

        Args:
            show: Called every few seconds with where the step stands.
            log: Called with each message; None ignores messages.
        """
        self._show, self._log = show, log
        self._step, self._unit, self._inside = "", "", ""
        self._rows, self._total = 0, 0
        self._started = self._said = time.monotonic()

    def log(self, message: str) -> None:
        """Hand it on."""
        if self._log:
            self._log(message)

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Start the clock."""
        self._step, self._unit, self._inside = step, unit, ""
        self._rows, self._total = 0, total_rows or 0
        self._started = self._said = time.monotonic()

    def inside(self, what: str) -> None:
        """Tell it in the next line, and print that if it is time."""
        self._inside = what
        self.advance(0)

    def advance(self, rows: int, share: float | None = None) -> None:
        """Count the rows, and print a line if it is time."""
        self._rows += rows
        now = time.monotonic()
        if now - self._said < LINE_SECONDS:
            return
        self._said = now
        seconds = now - self._started
        if share is not None:
            share = _not_all(share)
        elif 0 < self._rows <= self._total:
            share = self._rows / self._total
        self._show(
            Standing(
                step=_named(self._step, self._inside),
                unit=self._unit,
                done=self._rows,
                share=share,
                per_second=self._rows / seconds,
                seconds_left=seconds * (1 - share) / share if share else None,
            )
        )

    def end(self) -> None:
        """Nothing: the caller shows how the run ended."""


class Bar(Listener):
    """A progress bar with the number done, the rate and the time left."""

    def __init__(self, console: Console, log: Callable[[str], None] | None = None) -> None:
        """Begin without a step.

        Args:
            console: Where the bar is drawn.
            log: Called with each message; None ignores messages.
        """
        self._console, self._log = console, log
        self._bar: RichProgress | None = None
        self._rows = 0
        self._total: int | None = None
        self._step = ""

    def log(self, message: str) -> None:
        """Hand it on."""
        if self._log:
            self._log(message)

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Show the bar."""
        self.end()
        self._rows = 0
        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False, table_column=unbroken()),
            BarColumn(bar_width=None),
            Count(unit),
            Rate(unit),
            Left(),
            console=self._console,
            expand=True,
            transient=True,
        )
        # Without a total it moves to and fro, so that it does not look dead before the first row.
        self._total = total_rows
        self._step = step
        self._bar.add_task(step, total=None, share=None, of=total_rows)
        self._bar.start()

    def advance(self, rows: int, share: float | None = None) -> None:
        """Move the bar."""
        bar = self._bar  # another thread may take it away
        if not bar:
            return
        task = bar.task_ids[0]
        self._rows += rows
        if share:
            share = _not_all(share)
            # The bar is of the share, whose total is known, and not of rows.
            bar.update(
                task, total=1.0, completed=float(share), rows=self._rows, share=share, of=None
            )
            return
        if self._total and self._rows > self._total:
            self._total = None  # it was wrong
        bar.update(task, total=self._total, completed=self._rows, share=None, of=None)

    def inside(self, what: str) -> None:
        """Put it behind the step's name."""
        if bar := self._bar:
            bar.update(bar.task_ids[0], description=_named(self._step, what))

    def end(self) -> None:
        """Remove the bar: the caller shows how the step ended."""
        if self._bar:
            self._bar.stop()
        self._bar = None


def _not_all(share: float) -> float:
    """A share that is read, which is not done yet: it is less than all."""
    if share <= MOST_READ:
        return share
    if not isinstance(share, ReadShare):
        return MOST_READ
    most = ReadShare(share.total * MOST_READ, share.total)
    most.done = share.done
    return most


def _named(step: str, inside: str) -> str:
    return f"{step}, {inside}" if inside else step


@contextmanager
def step_of(
    progress: Progress | None, total: int | None, *, step: str, unit: str = "rows"
) -> Iterator[Progress]:
    """Begin a step, and end it when the `with` block ends, also after an error.

    Args:
        progress: Is called; None shows nothing.
        total: How much there is to do; None if it is not known.
        step: The step's name.
        unit: What is counted.

    Yields:
        The progress, for calls of `advance`.
    """
    listener = progress or SILENT
    listener.begin(total, step=step, unit=unit)
    try:
        yield listener
    finally:
        listener.end()


def listener_on(
    console: Console,
    *,
    log: Callable[[str], None] | None = None,
    show: Callable[[Standing], None] | None = None,
) -> Listener:
    """Make a bar if the console is a terminal that can draw one, else lines.

    Args:
        console: Where progress is shown.
        log: Called with each message; None ignores messages.
        show: Called instead of printing a line; None prints.

    Returns:
        The bar or the lines.
    """
    if show is None and console.is_terminal and not console.is_dumb_terminal:
        return Bar(console, log)
    return Lines(show or (lambda at: console.print(at.line(), highlight=False)), log)
