"""Records of a binary file, cut out of large reads."""

from __future__ import annotations

from typing import BinaryIO

from textbatch.errors import DataError

_READ = 4 << 20
#: The longest word that a file may hold, in bytes.
_MAX_WORD = 10_000


class RecordBuffer:
    """Reads a file front to back.

    Args:
        file: Open for reading, at the first record.
        path: Its name, for messages.
    """

    def __init__(self, file: BinaryIO, path: object) -> None:
        self._file, self._path = file, path
        self._data, self._position = b"", 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises:
            DataError: The file ends before.
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
        """The bytes before the next `mark`, which is dropped.

        Raises:
            DataError: There is none near.
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
