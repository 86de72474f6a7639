"""How far the reading of several files is, added up by their sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textbatch.data.readers.listing import ListedFile
from textbatch.data.readers.source import Source

#: Told how many more rows are read, and the share of all files read so far, 0 to 1.
OnRead = Callable[[int, float], None]


class Reading:
    """Tells how far the reading of files is, one after the other.

    Args:
        files: In the order in which they are read.
        tell: Told after each chunk.
    """

    def __init__(self, files: Sequence[ListedFile], tell: OnRead) -> None:
        self._sizes = [file.size for file in files]
        self._tell, self._file, self._rows = tell, -1, 0

    def next_file(self) -> None:
        """The next file begins."""
        self._file, self._rows = self._file + 1, 0

    def read(self, rows: int, share: float) -> None:
        """`rows` more of the file are read, and with them a share of it."""
        before, size = sum(self._sizes[: self._file]), self._sizes[self._file]
        self._tell(rows, (before + share * size) / max(1, sum(self._sizes)))

    def read_from(self, source: Source, rows: int) -> None:
        """`rows` more are read from a source."""
        self._rows += rows
        share = source.progress()
        self.read(rows, self._rows / max(1, source.num_rows or 0) if share is None else share)
