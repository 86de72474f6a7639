"""Listeners: they get a job's messages, and the progress of its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self


class Listener:
    """Gets messages and progress of a job. This class ignores all; subclasses use what they want.

    A job has one step at a time. A step may advance from any thread.
    """

    def log(self, message: str) -> None:
        """Take a message for the user.

        Args:
            message: One line.
        """

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """A step begins.

        Args:
            total_rows: How much there is to do; None if it is not known.
            step: Name of the step.
            unit: What is counted.
        """

    def advance(self, rows: int, share: float | None = None) -> None:
        """More of the step is done.

        Args:
            rows: How many rows, or other units, since the last call.
            share: The share of the input that is read, from 0 to 1; None if `total_rows` tells.
        """

    def inside(self, what: str) -> None:
        """Something else runs inside the step now.

        Args:
            what: A few words, which stand behind the step's name until the next call.
        """

    def end(self) -> None:
        """The step is over, successful or not."""

    @contextmanager
    def step(self, name: str, total: int | None = None, *, unit: str = "rows") -> Iterator[Self]:
        """Begin a step, and end it with the block, successful or not.

        Args:
            name: Name of the step.
            total: How much there is to do; None if it is not known.
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
        """Wrap another listener.

        Args:
            listener: Gets the steps.
            within: Name of the whole that the steps are a part of; it is put before their names.
        """
        self._listener = listener
        self._prefix = f"{within}, " if within else ""

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Pass it on, with the name of the whole before that of the step.

        Args:
            total_rows: As in `Listener.begin`.
            step: As in `Listener.begin`.
            unit: As in `Listener.begin`.
        """
        self._listener.begin(total_rows, step=self._prefix + step, unit=unit)

    def advance(self, rows: int, share: float | None = None) -> None:
        """Pass it on.

        Args:
            rows: As in `Listener.advance`.
            share: As in `Listener.advance`.
        """
        self._listener.advance(rows, share)

    def inside(self, what: str) -> None:
        """Pass it on.

        Args:
            what: As in `Listener.inside`.
        """
        self._listener.inside(what)

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
    """Make a listener for a caller that wants only messages, or nothing.

    Args:
        log: Called with each message; None ignores them.
    """
    return MessagesOnly(log) if log else SILENT
