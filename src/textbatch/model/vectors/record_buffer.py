"""Reads the records of a binary file, many at a time."""

from __future__ import annotations

from typing import BinaryIO

from textbatch.errors import DataError

_READ = 4 << 20
#: The longest word that a file may hold, in bytes.
_MAX_WORD = 10_000


class RecordBuffer:
    """Reads a file from its beginning to its end.

    Args:
        file: The file, open at the first record.
        path: Its name, for messages.
    """

    def __init__(self, file: BinaryIO, path: object) -> None:
        self._file, self._path = file, path
        self._data, self._position = b"", 0

    def take(self, size: int) -> bytes:
        """Read the next `size` bytes.

        Raises:
            DataError: The file ends before that.
        """
        end = self._position + size
        if end > len(self._data):
            self._fill(size)
            end = size
            if end > len(self._data):
                raise DataError(f"{self._path} ends inside a row", "fetch it again")
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def until(self, mark: bytes) -> bytes:
        """Read up to the next `mark`. The mark itself is dropped.

        Raises:
            DataError: There is no mark in the next 10,000 bytes.
        """
        limit = self._position + _MAX_WORD
        end = self._data.find(mark, self._position, limit)
        if end < 0 and limit > len(self._data):
            self._fill(_MAX_WORD)
            end = self._data.find(mark, 0, _MAX_WORD)
        if end < 0:
            raise DataError(f"{self._path} ends inside a row or holds no words", "fetch it again")
        taken = self._data[self._position : end]
        self._position = end + len(mark)
        return taken

    def _fill(self, size: int) -> None:
        self._data = self._data[self._position :] + self._file.read(max(_READ, size))
        self._position = 0
