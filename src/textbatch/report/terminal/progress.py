"""Telling how far a run is: a bar on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress

from textbatch.report.terminal.pace import Count, Left, Rate, counted, rate, span, unbroken

#: Between two lines of a run that nobody watches on a terminal.
LINE_SECONDS = 10.0


class Progress(Protocol):
    """Listens to a long step."""

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """A step begins; `total_rows` is None where nobody knows how many there are."""
        ...

    def advance(self, rows: int, share: float | None = None) -> None:
        """`rows` more are done; `share` of the input is read where the rows are not known."""
        ...

    def end(self) -> None:
        """The step is over, well or not."""
        ...


class Silent:
    """Says nothing."""

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Nothing."""

    def advance(self, rows: int, share: float | None = None) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a step is.

    Attributes:
        step: Its name.
        unit: What is counted.
        done: How many of these.
        share: Of the whole; None where nobody knows.
        per_second: Rate since the beginning.
        seconds_left: At that rate; None where nobody knows.
    """

    step: str
    unit: str
    done: int
    share: float | None
    per_second: float
    seconds_left: float | None

    def line(self) -> str:
        """In words."""
        told = f"{self.step}: {counted(self.done, self.unit)}"
        if self.share is not None:
            told += f" ({self.share:.0%})"
        told += f", {rate(self.per_second, self.unit)}"
        return told if self.seconds_left is None else f"{told}, {span(self.seconds_left)} left"


class Lines:
    """Tells every few seconds where the step stands."""

    def __init__(self, tell: Callable[[Standing], None]) -> None:
        self._tell = tell
        self._step, self._unit = "", ""
        self._rows, self._total = 0, 0
        self._started = self._said = time.monotonic()

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Start the clock."""
        self._step, self._unit = step, unit
        self._rows, self._total = 0, total_rows or 0
        self._started = self._said = time.monotonic()

    def advance(self, rows: int, share: float | None = None) -> None:
        """Count, and speak when it is time."""
        self._rows += rows
        now = time.monotonic()
        if now - self._said < LINE_SECONDS:
            return
        self._said = now
        seconds = now - self._started
        if share is None and self._total:
            share = min(1.0, self._rows / self._total)
        self._tell(
            Standing(
                step=self._step,
                unit=self._unit,
                done=self._rows,
                share=share,
                per_second=self._rows / seconds,
                seconds_left=seconds * (1 - share) / share if share else None,
            )
        )

    def end(self) -> None:
        """Nothing: the caller says how the run ended."""


class Recorder:
    """Passes everything on, and keeps when how many rows were done."""

    def __init__(self, listener: Progress) -> None:
        self._listener = listener
        self._started, self._rows = time.monotonic(), 0
        #: Seconds since the beginning, and rows done by then.
        self.samples: list[tuple[float, int]] = []

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Start the clock, at the first beginning."""
        if not self.samples:
            self._started = time.monotonic()
            self.samples.append((0.0, 0))
        self._listener.begin(total_rows, step=step, unit=unit)

    def advance(self, rows: int, share: float | None = None) -> None:
        """Keep where the run is."""
        self._rows += rows
        self.samples.append((time.monotonic() - self._started, self._rows))
        self._listener.advance(rows, share)

    def end(self) -> None:
        """Pass it on."""
        self._listener.end()


class Bar:
    """A progress bar with what is done, the rate and the time left."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: RichProgress | None = None
        self._rows = 0

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Show the bar."""
        self.end()
        self._rows = 0
        self._bar = RichProgress(
            TextColumn(step, markup=False, table_column=unbroken()),
            BarColumn(bar_width=None),
            Count(unit),
            Rate(unit),
            Left(),
            console=self._console,
            expand=True,
            transient=True,
        )
        self._bar.add_task(step, total=total_rows or None)
        self._bar.start()

    def advance(self, rows: int, share: float | None = None) -> None:
        """Move the bar."""
        bar = self._bar  # another thread may take it away
        if not bar:
            return
        task = bar.task_ids[0]
        self._rows += rows
        if share:
            bar.update(task, total=round(self._rows / share))
        bar.update(task, advance=rows)

    def end(self) -> None:
        """Take the bar away: what comes next tells how the step ended."""
        if self._bar:
            self._bar.stop()
        self._bar = None


class Within:
    """Passes a step's progress on, with the name of what the step is a part of before it."""

    def __init__(self, whole: str, listener: Progress) -> None:
        self._whole, self._listener = whole, listener

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """The step begins."""
        self._listener.begin(total_rows, step=f"{self._whole}, {step}", unit=unit)

    def advance(self, rows: int, share: float | None = None) -> None:
        """Pass it on."""
        self._listener.advance(rows, share)

    def end(self) -> None:
        """Pass it on."""
        self._listener.end()


@contextmanager
def step_of(
    progress: Progress | None, total: int | None, *, step: str, unit: str = "rows"
) -> Iterator[Progress]:
    """Begin a step and end it with the block, well or not.

    Args:
        progress: Told of the step; None is silence.
        total: How much there is to do; None where nobody knows.
        step: Its name.
        unit: What is counted.

    Yields:
        What to tell how much more is done.
    """
    listener = progress or Silent()
    listener.begin(total, step=step, unit=unit)
    try:
        yield listener
    finally:
        listener.end()


def progress_on(console: Console, tell: Callable[[Standing], None] | None = None) -> Progress:
    """A bar where the console is a terminal that can draw one, else lines.

    Args:
        console: Where to.
        tell: Takes what the lines would say; None prints them.
    """
    if tell is None and console.is_terminal and not console.is_dumb_terminal:
        return Bar(console)
    return Lines(tell or (lambda at: console.print(at.line(), highlight=False)))
