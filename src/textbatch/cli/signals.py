"""Stops on SIGTERM and SIGINT: cleanly if that is quick, otherwise at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from textbatch.errors import InterruptError, TerminatedError

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

#: How long cleaning up may take after the first signal. If it is not finished, nothing is lost: the
#: state on disk is sound at every moment, and the next run removes what is left.
GRACE_SECONDS = 4.0

#: Commands that write nothing, or at most a page and a report at their end.
_READING = ("evaluate", "show", "predict", "inspect", "verify", "config")
#: Commands that go on where a run before them was stopped. Others begin again.
_GOING_ON = ("score", "train", "tune")
_RETRY_SECONDS = 0.02
_IMPORTING = "<frozen importlib._bootstrap>"


def catch_signals() -> None:
    """Raise `TerminatedError` or `InterruptError` at the first signal. End at the second.

    Python runs signal handlers only between two of its own steps, and an exception can get lost on
    its way. So it is raised again until it is handled. A thread that the system wakes at the signal
    ends the process after `GRACE_SECONDS`.
    """
    # In a background process of a shell SIGINT is ignored. It stays so.
    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        numbers.append(signal.SIGINT)
    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    stopping = _Stopping()
    for number in numbers:
        # Not SIG_DFL for the second signal: in process 1 of a container that means "ignore".
        signal.signal(number, stopping.begin)
    signal.signal(signal.SIGALRM, stopping.leave)
    sys.unraisablehook = stopping.swallowed
    watch = threading.Thread(target=_end_later, args=(reading, numbers), daemon=True)
    watch.name = "textbatch-signals"
    watch.start()


_told = threading.Event()


def stopped() -> None:
    """Stop raising: the exception has arrived where the process ends, and is told there."""
    _told.set()
    signal.setitimer(signal.ITIMER_REAL, 0)


def message(number: int) -> str:
    """What is told of a signal.

    Args:
        number: SIGINT or SIGTERM.
    """
    name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
    command = next((word for word in sys.argv[1:] if word in _READING + _GOING_ON), "")
    left = "nothing was changed" if command in _READING else "the output is as it was"
    then = "run again to go on" if command in _GOING_ON else "run again"
    return f"stopped by {name}; {left}; {then}"


def _end(number: int) -> NoReturn:
    """End the process at once. The line is written without any lock that the job may hold."""
    if not _told.is_set():
        kind = "Interrupted" if number == signal.SIGINT else "Terminated"
        with suppress(OSError):
            os.write(2, f"\ntextbatch: error[{kind}]: {message(number)}\n".encode())
    os._exit(128 + number)


class _Stopping:
    """Raises the exception again as long as it gets lost."""

    def __init__(self) -> None:
        self._number = 0

    def begin(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal. The second one ends the process."""
        if self._number:
            _end(number)
        self._number = number
        # NumPy, for example, drops any exception while it looks for an attribute.
        signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS, _RETRY_SECONDS)
        self.leave(number, frame)

    def leave(self, _: int, frame: FrameType | None) -> None:
        """Raise the exception, except in two situations.

        During an import, native modules would turn it into an ImportError. And while the exception
        raised before is being handled, the process is cleaning up.
        """
        while frame:
            if frame.f_code.co_filename == _IMPORTING:
                return
            frame = frame.f_back
        handled = sys.exception()
        while handled:
            if isinstance(handled, TerminatedError | KeyboardInterrupt):
                return
            handled = handled.__context__
        if self._number == signal.SIGTERM:
            raise TerminatedError
        raise InterruptError

    def swallowed(self, lost: UnraisableHookArgs) -> None:
        """Print an exception that nobody can handle under `--debug` alone: it may quote a cell.

        One that is raised again is never printed.
        """
        shows = "--debug" in sys.argv or "TEXTBATCH_DEBUG" in os.environ
        if shows and not isinstance(lost.exc_value, TerminatedError | KeyboardInterrupt):
            sys.__unraisablehook__(lost)


def _end_later(reading: int, numbers: list[int]) -> None:
    # Every signal that Python handles writes its number to the pipe, not only these.
    number = os.read(reading, 1)[0]
    while number not in numbers:
        number = os.read(reading, 1)[0]
    threading.Event().wait(GRACE_SECONDS)
    _end(number)
