"""How much is done, how fast, and how long it will take: in words, and as columns of a bar."""

from __future__ import annotations

from rich.filesize import decimal
from rich.progress import ProgressColumn, Task
from rich.table import Column
from rich.text import Text

from textbatch.types import ReadShare

#: So few steps end in bursts, where several are under way: the last seconds tell nothing of them.
_FEW = 20
#: The unit that is shown as kB, MB and so on.
BYTES = "bytes"


def span(seconds: float) -> str:
    """A length of time in words: `48 s`, `3 min`, `2 h 10 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def counted(done: int, unit: str) -> str:
    """How much is done, in words: `1,200 rows`, `3.4 MB`.

    Args:
        done: The number.
        unit: What is counted.
    """
    return decimal(done) if unit == BYTES else f"{done:,} {unit}"


def part_of(share: float) -> str:
    """How much of the files is read, in words: `4.2 MB of 14.0 MB`, or `30%`.

    Args:
        share: The share, from 0 to 1.
    """
    if isinstance(share, ReadShare):
        return f"{decimal(share.done)} of {decimal(share.total)}"
    return f"{share:.0%}"


def left(seconds: float, share: float | None = None) -> str:
    """The time left in words. It is never told that nothing is left while a step goes on.

    Args:
        seconds: At the rate so far.
        share: The share that is done, from 0 to 1; None if it is not known.
    """
    if share is not None and share >= 1:
        return "finishing"
    return f"{span(max(1.0, seconds))} left"


def rate(per_second: float, unit: str) -> str:
    """How fast it is, in words: `1,200 rows/s`, `3.4 MB/s`, `0.5 folds/min`.

    Args:
        per_second: The number in one second.
        unit: What is counted.
    """
    if unit == BYTES:
        return f"{decimal(round(per_second))}/s"
    if per_second >= 10:
        return f"{per_second:,.0f} {unit}/s"
    if per_second >= 0.1:
        return f"{per_second:.2g} {unit}/s"
    return f"{per_second * 60:.2g} {unit}/min"


def unbroken() -> Column:
    """A column that is never wrapped. The bar becomes shorter instead."""
    return Column(no_wrap=True)


class Count(ProgressColumn):
    """The column that shows how much is done, and the total."""

    def __init__(self, unit: str) -> None:
        super().__init__(table_column=unbroken())
        self._unit = unit

    def render(self, task: Task) -> Text:
        """Show both, or what is done and the share that is read, or only what is done."""
        done = int(task.completed)
        if share := task.fields.get("share"):
            return Text(f"{counted(int(task.fields['rows']), self._unit)} ({part_of(share)})")
        total = task.total or task.fields.get("of")
        if total is None:
            return Text(counted(done, self._unit) if done else "")
        if self._unit == BYTES:
            return Text(f"{decimal(done)}/{decimal(int(total))}")
        return Text(f"{done:,}/{int(total):,}")


class Rate(ProgressColumn):
    """The column that shows the rate."""

    def __init__(self, unit: str) -> None:
        super().__init__(table_column=unbroken())
        self._unit = unit

    def render(self, task: Task) -> Text:
        """Show the rate of the last seconds; nothing in the first second."""
        pace = _pace(task)
        if pace and task.fields.get("share"):
            # The bar moves by the share: its own pace is none of rows.
            pace *= task.fields["rows"] / task.completed
        return Text("" if pace is None else rate(pace, self._unit))


class Left(ProgressColumn):
    """The column that shows the time left."""

    def __init__(self) -> None:
        super().__init__(table_column=unbroken())

    def render(self, task: Task) -> Text:
        """Show the time left or, if it is not known, the time since the beginning."""
        pace = _pace(task)
        if pace is None or task.remaining is None:
            return Text(f"{span(task.elapsed or 0.0)} so far")
        share = task.completed / task.total if task.total else None
        return Text(left(max(0.0, task.remaining) / pace, share))


def _pace(task: Task) -> float | None:
    """Units per second in the last seconds, or of a few from the beginning; None at first."""
    seconds = task.elapsed or 0.0
    if seconds < 1 or not task.completed:
        return None
    if task.completed < _FEW:
        return task.completed / seconds
    return task.speed or task.completed / seconds
