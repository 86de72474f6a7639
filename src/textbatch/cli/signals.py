"""Stops on SIGTERM and SIGINT: cleanly if that is quick, otherwise at once."""

from __future__ import annotations

import fcntl
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

#: What a stopped command leaves, and what the next run of it does.
_AS_IT_WAS, _NOTHING, _AGAIN = "the output is as it was", "nothing was changed", "run again"
_RELEASES, _GO_ON = "the releases are as they were", "run again to go on"
_LEFT = {
    "score": (_AS_IT_WAS, _GO_ON),
    "train": (_AS_IT_WAS, _GO_ON),
    "tune": ("the trials that are done are kept", _GO_ON),
    "finish": ("the parts are as they were", _AGAIN),
    "promote": (_RELEASES, _AGAIN),
    "rollback": (_RELEASES, _AGAIN),
    "demo": ("only its folder was changed", "remove that, then run again"),
    # They write nothing, or at most a page and a report at their end.
    **dict.fromkeys(("evaluate", "show", "predict", "inspect"), (_NOTHING, _AGAIN)),
    **dict.fromkeys(("verify", "config", "doctor", "diff", "profile"), (_NOTHING, _AGAIN)),
    **dict.fromkeys(
        ("audit", "vectors", "import", "export", "review", "calibrate"), (_AS_IT_WAS, _AGAIN)
    ),
}
#: Removes what a bar has drawn on the line, and shows the cursor that it hides.
_CLEARED = b"\r\x1b[2K\x1b[?25h"
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
    global _stderr
    with suppress(OSError):
        _stderr = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, 3)
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
#: Where the line is written. Libraries that say too much are silenced by another file as number 2.
_stderr = 2


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
    # Files may have the names of commands, but they come behind the command.
    command = next((word for word in sys.argv[1:] if word in _LEFT), "")
    left, then = _LEFT.get(command, (_NOTHING, _AGAIN))
    return f"stopped by {name}; {left}; {then}"


def _end(number: int) -> NoReturn:
    """End the process at once. The line is written without any lock that the job may hold."""
    # Not by an import: what a command has not loaded, it has not used.
    if passing := sys.modules.get("textbatch.data.storage.passing"):
        with suppress(Exception):
            passing.remove_passing()
    if not _told.is_set():
        kind = "Interrupted" if number == signal.SIGINT else "Terminated"
        drawn = os.isatty(_stderr) and os.environ.get("TERM", "dumb") != "dumb"
        line = (_CLEARED if drawn else b"") + f"textbatch: error[{kind}]: ".encode()
        with suppress(OSError):
            os.write(_stderr, line + message(number).encode() + b"\n")
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
