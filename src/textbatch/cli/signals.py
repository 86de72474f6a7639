"""Stopping on SIGTERM and SIGINT: cleanly if that is quick, at once otherwise."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from textbatch.errors import TerminatedError

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

#: How long cleaning up may take after the first signal. Whatever it leaves undone, the state on
#: disk is sound at every moment, and the next run of the job removes what is stale.
GRACE_SECONDS = 4.0

_RETRY_SECONDS = 0.02
_IMPORTING = "<frozen importlib._bootstrap>"


def catch_signals() -> None:
    """Raise `TerminatedError` or KeyboardInterrupt at the first signal, end at the second.

    Handlers run between two steps of Python only, and an exception can be swallowed on its way;
    so a thread that the system wakes at the signal ends the process after `GRACE_SECONDS`.
    """
    # A shell's background process has SIGINT ignored, and keeps it so.
    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        numbers.append(signal.SIGINT)
    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    stopping = _Stopping()
    for number in numbers:
        # Not SIG_DFL for the second one: for process 1 of a container that means "ignore".
        signal.signal(number, stopping.begin)
    signal.signal(signal.SIGALRM, stopping.leave)
    sys.unraisablehook = stopping.swallowed
    watch = threading.Thread(target=_end_later, args=(reading, numbers), daemon=True)
    watch.name = "textbatch-signals"
    watch.start()


class _Stopping:
    """The way out: an exception, raised again for as long as it gets lost."""

    def __init__(self) -> None:
        self._number = 0

    def begin(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal; the second one ends the process."""
        if self._number:
            os._exit(128 + number)
        self._number = number
        self.leave(number, frame)

    def leave(self, _: int, frame: FrameType | None) -> None:
        """Raise, but not in the midst of an import: native modules would make ImportError of it."""
        while frame:
            if frame.f_code.co_filename == _IMPORTING:
                signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)
                return
            frame = frame.f_back
        if self._number == signal.SIGTERM:
            raise TerminatedError
        raise KeyboardInterrupt

    def swallowed(self, lost: UnraisableHookArgs) -> None:
        """Try again where native code or a destructor could not pass the exception on."""
        if isinstance(lost.exc_value, TerminatedError | KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)
        else:
            sys.__unraisablehook__(lost)


def _end_later(reading: int, numbers: list[int]) -> None:
    # Every signal that Python handles writes its number, not only these.
    number = os.read(reading, 1)[0]
    while number not in numbers:
        number = os.read(reading, 1)[0]
    threading.Event().wait(GRACE_SECONDS)
    os._exit(128 + number)
