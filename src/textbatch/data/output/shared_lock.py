"""A hold on an output that several processes share, while none may have the whole of it.

It is the lock of the work directory, taken so that others may take it in the same way. Whoever
wants the output alone, as `score` without shards or `finish`, waits for none of them: exit code 75.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

from textbatch.data.output.work_directory import work_directory_of
from textbatch.data.storage.private import open_private
from textbatch.errors import OutputError, TryAgainError, storage_errors

_LOCK = "lock"
#: The last one that lets go removes the directory, and for that moment it has it alone.
_ATTEMPTS, _PAUSE_SECONDS = 40, 0.05


class SharedLock:
    """The hold of one process, from construction to `release`."""

    def __init__(self, output: Path) -> None:
        """Take hold.

        Args:
            output: The output.

        Raises:
            TryAgainError: A run has the output alone.
            StorageError: The file system cannot lock.
        """
        self._path = work_directory_of(output)
        with storage_errors(self._path, "cannot lock", missing=OutputError):
            for attempt in range(_ATTEMPTS):
                if attempt:
                    time.sleep(_PAUSE_SECONDS)
                if (held := self._taken()) is not None:
                    self._lock = held
                    return
        raise TryAgainError(f"{output} is being written by another run", "wait for it")

    def release(self) -> None:
        """Let go; the last one removes the directory if nothing else is in it."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.listdir(self._path) == [_LOCK]:  # noqa: PTH208
                os.unlink(self._path / _LOCK)  # noqa: PTH108
                os.rmdir(self._path)  # noqa: PTH106
        except OSError:
            pass  # others hold it still, or have removed it
        finally:
            with contextlib.suppress(OSError):
                os.close(self._lock)

    def _taken(self) -> int | None:
        """The lock's descriptor; None if it cannot be had at this moment."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(self._path, 0o700)  # noqa: PTH102
        try:
            descriptor = open_private(self._path / _LOCK, os.O_RDWR | os.O_CREAT)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino == (self._path / _LOCK).stat().st_ino:
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None
