"""Writes to devices and pipes, which stay what they are."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable
from pathlib import Path

from textbatch.errors import StorageError

#: How long a pipe may lack a reader, and how often that is looked at, in seconds.
PATIENCE_SECONDS, _PAUSE_SECONDS = 60.0, 0.1


def write_through(path: Path, blocks: Iterable[bytes]) -> None:
    """Write to a device or a pipe.

    Args:
        path: The device or pipe.
        blocks: What to write.

    Raises:
        StorageError: Nobody reads the pipe.
        OSError: It takes nothing.
    """
    descriptor = _opened(path)
    try:
        for block in blocks:
            view = memoryview(block)
            while view:
                view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """Open it for writing. A pipe without a reader would hold the job for ever."""
    flags = os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC | os.O_NONBLOCK
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            descriptor = os.open(path, flags)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > until:
                raise StorageError(
                    f"cannot write {path}: nobody reads this pipe", "start its reader first"
                ) from error
            time.sleep(_PAUSE_SECONDS)
            continue
        # A reader may be slow.
        os.set_blocking(descriptor, True)
        return descriptor
