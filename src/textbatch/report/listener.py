"""Who hears what a job does: its messages, its steps, and how far each step is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self


class Listener:
    """Hears a job. This one ignores everything; a subclass takes what it wants.

    A job has one step at a time. A step may advance from any thread.
    """

    def log(self, message: str) -> None:
        """Take a message for a person who waits.

        Args:
            message: One line.
        """

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """A step begins.

        Args:
            total_rows: How much there is to do; None if nobody knows.
            step: Name of the step.
            unit: What is counted.
        """

    def advance(self, rows: int, share: float | None = None) -> None:
        """More of the step is done.

        Args:
            rows: How much more.
            share: Share of the whole that is done, where the total is not known.
        """

    def end(self) -> None:
        """The step is over, successful or not."""

    @contextmanager
    def step(self, name: str, total: int | None = None, *, unit: str = "rows") -> Iterator[Self]:
        """Begin a step, and end it with the block, successful or not.

        Args:
            name: Name of the step.
            total: How much there is to do; None if nobody knows.
            unit: What is counted.

        Yields:
            The listener, for `advance`.
        """
        self.begin(total, step=name, unit=unit)
        try:
            yield self
        finally:
            self.end()


#: Ignores everything.
SILENT = Listener()


class StepsOnly(Listener):
    """Passes steps on, and drops messages."""

    def __init__(self, listener: Listener, *, within: str = "") -> None:
        """Stand before another listener.

        Args:
            listener: Who hears the steps.
            within: What the steps are a part of; their names then begin with it.
        """
        self._listener = listener
        self._prefix = f"{within}, " if within else ""

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Pass it on, with the name of the whole before that of the step.

        Args:
            total_rows: As `Listener.begin` takes it.
            step: As `Listener.begin` takes it.
            unit: As `Listener.begin` takes it.
        """
        self._listener.begin(total_rows, step=self._prefix + step, unit=unit)

    def advance(self, rows: int, share: float | None = None) -> None:
        """Pass it on.

        Args:
            rows: As `Listener.advance` takes it.
            share: As `Listener.advance` takes it.
        """
        self._listener.advance(rows, share)

    def end(self) -> None:
        """Pass it on."""
        self._listener.end()


class MessagesOnly(Listener):
    """Hands messages to a function, and ignores steps."""

    def __init__(self, log: Callable[[str], None]) -> None:
        """Take the function.

        Args:
            log: Called with each message.
        """
        self._log = log

    def log(self, message: str) -> None:
        """Hand it on."""
        self._log(message)


def messages_to(log: Callable[[str], None] | None) -> Listener:
    """A listener for callers that want messages alone, or nothing.

    Args:
        log: Called with each message; None ignores them.
    """
    return MessagesOnly(log) if log else SILENT
