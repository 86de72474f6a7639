"""Files as the commit protocol needs them: created anew, hashed as they grow, synced, moved.

Everything goes through `os`, one call a step, so that tests can make any of them fail.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_BUFFER_BYTES = 1 << 20


class NewFile(io.RawIOBase):
    """A file that did not exist; use `buffered` for many small writes.

    Attributes:
        sha256: Of all that was written, in order.
    """

    def __init__(self, path: Path, mode: int = 0o666) -> None:
        """Create it.

        Raises:
            OSError: There is something at the path, or it cannot be created.
        """
        super().__init__()
        self.path = path
        self.sha256 = hashlib.sha256()
        self._position = 0
        # Until there is a file: the object is closed, too, where none could be created.
        self._descriptor = -1
        # O_EXCL: a link planted under the name is not followed.
        self._descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, mode)
        self.buffered = io.BufferedWriter(self, _BUFFER_BYTES)

    def writable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Bytes written."""
        return self._position

    def write(self, data: ReadableBuffer, /) -> int:
        """Append bytes; returns how many the system took."""
        written = os.write(self._descriptor, data)
        self.sha256.update(memoryview(data)[:written])
        self._position += written
        return written

    def read_at(self, position: int, size: int) -> bytes:
        """Read back, to check or to find a place."""
        return os.pread(self._descriptor, size, position)

    def patch(self, position: int, data: bytes) -> None:
        """Overwrite bytes in place; the hash does not know of it."""
        if os.pwrite(self._descriptor, data, position) != len(data):
            raise OSError("short write")

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        self.buffered.flush()
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; what waits in `buffered` is dropped unless it was flushed."""
        if not self.closed:
            super().close()
            if self._descriptor >= 0:
                os.close(self._descriptor)

    def discard(self) -> None:
        """Close and remove the file, whatever state it is in."""
        with contextlib.suppress(OSError, ValueError):
            self.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)  # noqa: PTH108 - one call of `os` a step


def move_into_place(temporary: Path, path: Path) -> None:
    """Put a finished file where readers look for it, in one step."""
    os.replace(temporary, path)  # noqa: PTH105 - one call of `os` a step


def sync_directory(path: Path) -> None:
    """Make a directory's entries survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
