"""The progress of reading several files, by their sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textbatch.data.readers.listing import ListedFile
from textbatch.data.readers.source import Source
from textbatch.types import ReadShare

#: Called with the number of rows since the last call, and the share of all files, 0 to 1.
OnRead = Callable[[int, float], None]


class Reading:
    """Reports the progress of reading files, one after the other.

    Args:
        files: The files, in the order in which they are read.
        on_read: Called after each chunk.
    """

    def __init__(self, files: Sequence[ListedFile], on_read: OnRead) -> None:
        self._sizes = [file.size for file in files]
        self._on_read, self._file, self._rows = on_read, -1, 0

    def next_file(self) -> None:
        """Begin with the next file."""
        self._file, self._rows = self._file + 1, 0

    def read(self, rows: int, share: float) -> None:
        """Report that more of the file is read.

        Args:
            rows: Number of rows since the last report.
            share: Share of the file that is read so far, 0 to 1.
        """
        before, size = sum(self._sizes[: self._file]), self._sizes[self._file]
        self._on_read(rows, ReadShare(before + share * size, sum(self._sizes)))

    def read_from(self, source: Source, rows: int) -> None:
        """Report that more rows of a source are read.

        Args:
            source: The source of the file.
            rows: Number of rows since the last report.
        """
        self._rows += rows
        share = source.progress()
        self.read(rows, self._rows / max(1, source.num_rows or 0) if share is None else share)
