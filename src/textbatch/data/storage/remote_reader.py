"""An object of any store as a file that can be read at any place."""

from __future__ import annotations

import io
import os
from functools import partial
from typing import TYPE_CHECKING

from textbatch.data.storage.checksums import InOrder
from textbatch.data.storage.location import RemotePath
from textbatch.data.storage.object_store import ReadAt
from textbatch.data.storage.retry import retried

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class AtOnce:
    """Reads a small object whole, because stores tell the checksum of a whole object.

    Args:
        read: Reads the object.
        size: Its size in bytes.
    """

    def __init__(self, read: ReadAt, size: int) -> None:
        self._read, self._size = read, size
        self._data: bytes | None = None

    @property
    def held(self) -> bool:
        """Whether the object has come in one piece."""
        return self._data is not None

    def __call__(self, start: int, size: int) -> bytes:
        """Give a part of it, as `ReadAt` does.

        Args:
            start: Where it begins, in bytes.
            size: How many bytes.
        """
        if self._data is None:
            data = self._read(0, self._size)
            if len(data) != self._size:
                # The store caps its ranges: piece by piece then.
                return self._read(start, size)
            self._data = data
        return self._data[start : start + size]


class RemoteReader(io.RawIOBase):
    """An object as a file that can be read at any place.

    Args:
        path: The object.
        size: Size in bytes.
        read: Reads it.
        in_order: Compares the checksum of what is read in order.
    """

    def __init__(self, path: RemotePath, size: int, read: ReadAt, in_order: InOrder) -> None:
        super().__init__()
        self._path, self.size, self._read, self._in_order = path, size, read, in_order
        self._position = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Position where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a position. No request is made.

        Args:
            offset: In bytes.
            whence: What the offset counts from, as in `io`.
        """
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Read from the current position, with one request if the store gives all of it."""
        left = max(0, self.size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        pieces = []
        while wanted:
            some = partial(self._some, self._position, wanted)
            pieces.append(data := retried(some, self._path, "cannot read", size=wanted))
            self._in_order.add(self._position, data)
            self._position += len(data)
            wanted -= len(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read into a buffer."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _some(self, start: int, size: int) -> bytes:
        """Read at least one byte, and at most `size`."""
        data = self._read(start, size)
        if not 0 < len(data) <= size:
            raise OSError("short read")
        return data
