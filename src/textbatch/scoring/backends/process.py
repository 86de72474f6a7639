"""What every worker process on this machine does: it ends with its driver, and sends errors to it.

A worker for chunks starts with this file, so it imports little.
"""

from __future__ import annotations

import os
import signal
import threading

from textbatch.errors import OutOfMemoryError, TextbatchError

#: Libraries that make threads of their own read their number here.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_LOOK_SECONDS = 0.25


def environment_of(threads: int) -> dict[str, str]:
    """The variables of a worker's environment that keep libraries to its number of threads."""
    return dict.fromkeys(_THREADS, str(threads))


def begin_worker(driver: int) -> None:
    """Prepare a new worker process.

    Args:
        driver: The process that it works for.
    """
    # Ctrl-C reaches all processes of a terminal; the driver decides what becomes of its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(driver,), daemon=True).start()


def as_value(error: Exception, work: object, *, where: str = "") -> TextbatchError:
    """An error as a value: without its traceback, and of a class that is easy to make.

    Args:
        error: What ended the work.
        work: What was done, for the message.
        where: Which machine it was, if that must be told.
    """
    if isinstance(error, MemoryError):
        return OutOfMemoryError(
            f"not enough memory for {work}{where}", "take fewer --jobs, or --chunk-rows 1000"
        )
    if not isinstance(error, TextbatchError):
        return TextbatchError(
            f"{work}: a worker ended with {type(error).__name__}{where}",
            "this is a bug in textbatch: please report it",
        )
    plain = next(
        kind
        for kind in type(error).__mro__
        if issubclass(kind, TextbatchError) and kind.__init__ is TextbatchError.__init__
    )
    return plain(error.what + where, error.remedy)


def _end_with(driver: int) -> None:
    """End this process when the driver is gone, or its files would stay locked for the next one."""
    waiting = threading.Event()
    while os.getppid() == driver:
        waiting.wait(_LOOK_SECONDS)
    os._exit(1)
