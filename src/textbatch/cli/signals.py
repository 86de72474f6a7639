"""Stopping on SIGTERM and SIGINT: cleanly if that is quick, at once otherwise."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

from textbatch.errors import TerminatedError

#: How long cleaning up may take after the first signal. Whatever it leaves undone, the state on
#: disk is sound at every moment, and the next run of the job removes what is stale.
GRACE_SECONDS = 4.0


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
    for number in numbers:
        # Not SIG_DFL for the second one: for process 1 of a container that means "ignore".
        signal.signal(number, _Stop())
    watch = threading.Thread(target=_end_later, args=(reading, numbers), daemon=True)
    watch.name = "textbatch-signals"
    watch.start()


class _Stop:
    stopped = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if _Stop.stopped:
            os._exit(128 + number)
        _Stop.stopped = True
        if number == signal.SIGTERM:
            raise TerminatedError
        raise KeyboardInterrupt


def _end_later(reading: int, numbers: list[int]) -> None:
    # Every signal that Python handles writes its number, not only these.
    number = os.read(reading, 1)[0]
    while number not in numbers:
        number = os.read(reading, 1)[0]
    threading.Event().wait(GRACE_SECONDS)
    os._exit(128 + number)
