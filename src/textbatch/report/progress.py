"""Telling how far a run is: a bar on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import time
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.text import Text

#: Between two lines of a run that nobody watches on a terminal.
LINE_SECONDS = 10.0


class Progress(Protocol):
    """Listens to a scoring run."""

    def begin(self, total_rows: int | None) -> None:
        """Rows start to be scored; `total_rows` is None where the input does not tell."""
        ...

    def advance(self, rows: int, share: float | None) -> None:
        """`rows` more are done; `share` of the input is read where the rows are not known."""
        ...

    def end(self) -> None:
        """The run is over, well or not."""
        ...


class Silent:
    """Says nothing."""

    def begin(self, total_rows: int | None) -> None:
        """Nothing."""

    def advance(self, rows: int, share: float | None) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


class Lines:
    """A line every few seconds: rows, rows per second, time left."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows, self._total = 0, 0
        self._started = self._said = time.monotonic()

    def begin(self, total_rows: int | None) -> None:
        """Start the clock."""
        self._total = total_rows or 0
        self._started = self._said = time.monotonic()

    def advance(self, rows: int, share: float | None) -> None:
        """Count, and speak when it is time."""
        self._rows += rows
        now = time.monotonic()
        if now - self._said < LINE_SECONDS:
            return
        self._said = now
        seconds = now - self._started
        done = share if share is not None else self._rows / max(1, self._total)
        left = seconds * (1 - done) / done if done else 0.0
        self._console.print(
            f"scored {self._rows:,} rows ({done:.0%}), {self._rows / seconds:,.0f} rows/s, "
            f"{left:,.0f} s left",
            highlight=False,
        )

    def end(self) -> None:
        """Nothing: the caller says how the run ended."""


class Bar:
    """A progress bar with rows, rows per second and time left."""

    def __init__(self, console: Console) -> None:
        self._bar = RichProgress(
            TextColumn("scoring"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("scoring", total=None)
        self._rows = 0

    def begin(self, total_rows: int | None) -> None:
        """Show the bar."""
        self._bar.update(self._task, total=total_rows)
        self._bar.start()

    def advance(self, rows: int, share: float | None) -> None:
        """Move the bar."""
        self._rows += rows
        if share:
            self._bar.update(self._task, total=round(self._rows / share))
        self._bar.update(self._task, advance=rows)

    def end(self) -> None:
        """Leave the bar as it stands."""
        self._bar.stop()


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f} rows/s")


def progress_on(console: Console) -> Progress:
    """A bar where the console is a terminal that can draw one, else lines."""
    return Bar(console) if console.is_terminal and not console.is_dumb_terminal else Lines(console)
