"""How far the workers are: each tells it in a small file that the driver looks at now and then.

All of them see the disk of the job, so this works on any engine.
"""

from __future__ import annotations

import os
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from textbatch.data.output.work_directory import told_in, work_directory_of
from textbatch.data.storage.private import open_private
from textbatch.errors import storage_errors
from textbatch.report.listener import Listener
from textbatch.report.terminal.progress import Progress

#: Rows, and the share of the file.
_RECORD = struct.Struct("<qd")
_TELL_SECONDS = 0.5


class Tells(Listener):
    """The progress of a worker: it tells the rows of its file."""

    def __init__(self, place: Path) -> None:
        """Nothing is told yet.

        Args:
            place: The file. There is no file where its folder is gone, as the job is.
        """
        self._place = place
        self._rows, self._total, self._last = 0, 0, 0.0

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Begin from the first row: an earlier attempt may have told more."""
        self._rows, self._total, self._last = 0, total_rows or 0, 0.0

    def advance(self, rows: int, share: float | None = None) -> None:
        """Tell it, if the last time was long enough ago."""
        self._rows += rows
        if time.monotonic() - self._last < _TELL_SECONDS:
            return
        self._last = time.monotonic()
        if share is None:
            share = self._rows / self._total if self._total else 0.0
        # What is shown is not worth the end of a job.
        with suppress(OSError):
            descriptor = open_private(self._place, os.O_WRONLY | os.O_CREAT)
            try:
                os.pwrite(descriptor, _RECORD.pack(self._rows, share), 0)
            finally:
                os.close(descriptor)


@dataclass(slots=True)
class _File:
    """A file that a worker has: its size in bytes, and what was told of it."""

    size: int
    rows: int = 0
    share: float = 0.0


class AllWorkers:
    """Turns what the workers tell into the progress of the whole job.

    Attributes:
        folder: Where they tell it.
    """

    def __init__(self, output: Path, progress: Progress, total_bytes: int) -> None:
        """Nothing is done yet.

        Args:
            output: What the lock of the job is beside.
            progress: Called with the rows of all workers together.
            total_bytes: Size of all files.
        """
        self.folder = told_in(work_directory_of(output.absolute()))
        self._progress, self._total = progress, max(1, total_bytes)
        self._running: dict[Path, _File] = {}
        self._bytes = self._rows = self._shown = 0
        self._share = 0.0

    def listen(self) -> None:
        """Make the folder. The owner of the lock removes it.

        Raises:
            StorageError: It cannot be made.
        """
        with storage_errors(self.folder, "cannot create"):
            self.folder.mkdir(mode=0o700, exist_ok=True)

    def begin(self, size: int) -> Path:
        """A worker gets a file.

        Args:
            size: Its size in bytes.

        Returns:
            Where it is to tell how far it is.
        """
        place = self.folder / str(len(self._running))
        while place in self._running:
            place = self.folder / str(int(place.name) + 1)
        self._running[place] = _File(size)
        return place

    def end(self, place: Path, rows: int) -> None:
        """A file is done.

        Args:
            place: Where it was told.
            rows: How many rows it has; 0 if it failed.
        """
        self._bytes += self._running.pop(place).size
        self._rows += rows
        with suppress(OSError):
            place.unlink()
        self._show()

    def look(self) -> None:
        """Look what the workers have told."""
        for place, file in self._running.items():
            with suppress(OSError, struct.error):
                file.rows, file.share = _RECORD.unpack(place.read_bytes())
        self._show()

    def _show(self) -> None:
        running = self._running.values()
        rows = self._rows + sum(file.rows for file in running)
        done = self._bytes + sum(file.share * file.size for file in running)
        # What a dead worker had done comes a second time.
        new, self._shown = max(0, rows - self._shown), max(rows, self._shown)
        self._share = min(1.0, max(self._share, done / self._total))
        self._progress.advance(new, self._share)
