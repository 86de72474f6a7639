"""The ledger: the finished parts of a folder job, one line of JSON for each.

A line is on the disk as soon as its part is. The ledger is beside the lock, and shows the next run
where an interrupted one stopped. At the end it becomes `_manifest.jsonl` in the output, which shows
`--incremental` the input files that have been seen.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from textbatch.data.output.records import PartRecord
from textbatch.data.storage.atomic_file import atomic_file
from textbatch.data.storage.private import open_private
from textbatch.errors import DataError, OutputError, storage_errors
from textbatch.failpoints import failpoint

#: Increased when a field of a line changes its meaning.
FORMAT_VERSION = 1


class Ledger:
    """The parts that this run and earlier runs of the same job have published.

    Attributes:
        finished: For each part the state of its input; see `listing.ListedFile.state`.
    """

    def __init__(self, path: Path | None, job: str) -> None:
        """Open the ledger of an interrupted run, if it is of the same job.

        Args:
            path: Path of the file. `begin` makes it. None for a plan that writes nothing.
            job: Key of the job. The ledger of another job is dropped.

        Raises:
            StorageError: The file cannot be read or removed.
        """
        self.path = path
        self.finished: dict[str, str] = {}
        self._first_line = f"{json.dumps({'format': FORMAT_VERSION, 'job': job})}\n".encode()
        self._descriptor: int | None = None
        if path is not None:
            with storage_errors(path, "cannot use"):
                self._open(path)

    @property
    def begun(self) -> bool:
        """Whether there is a file, of this run or an earlier one."""
        return self._descriptor is not None

    def begin(self) -> None:
        """Create the file, if there is none.

        Raises:
            StorageError: The disk is full or failing.
        """
        assert self.path is not None
        if self._descriptor is None:
            with storage_errors(self.path, "cannot write", missing=OutputError):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
                self._descriptor = open_private(self.path, flags)
                self._write(self._first_line)

    def add(self, record: PartRecord) -> None:
        """Add a part that is at its final path.

        Raises:
            StorageError: The disk is full or failing.
        """
        self.begin()
        assert self.path is not None
        assert self._descriptor is not None
        with storage_errors(self.path, "cannot write", missing=OutputError):
            self._write(record.to_line())
            os.fsync(self._descriptor)
        self.finished[record.part] = record.state

    def records(self) -> Iterator[PartRecord]:
        """Yield all lines, in order. A part that was added twice comes twice."""
        if self.path is not None and self._descriptor is not None:
            yield from read_records(self.path, skip=1)

    def remove(self) -> None:
        """Remove the file: the job is done.

        Raises:
            StorageError: The file cannot be removed.
        """
        assert self.path is not None
        with storage_errors(self.path, "cannot remove"):
            self.close()
            self.path.unlink(missing_ok=True)
            failpoint("ledger-removed")

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _open(self, path: Path) -> None:
        try:
            descriptor = open_private(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return
        with open(descriptor, "rb", closefd=False) as file:
            same = file.readline() == self._first_line
            end = file.tell()
            for line in file if same else ():
                record = PartRecord.of_line(line)
                if record is None:  # torn by a power cut
                    break
                self.finished[record.part] = record.state
                end += len(line)
        if same:
            os.ftruncate(descriptor, end)
            self._descriptor = descriptor
        else:
            os.close(descriptor)
            path.unlink()

    def _write(self, line: bytes) -> None:
        assert self._descriptor is not None
        data = memoryview(line)
        while data:
            data = data[os.write(self._descriptor, data) :]


def read_records(path: Path, *, skip: int = 0) -> Iterator[PartRecord]:
    """Read a file of records, one after the other.

    Args:
        path: The file.
        skip: Lines to leave out at its beginning.

    Raises:
        DataError: A line is damaged.
        StorageError: The file cannot be read.
    """
    with storage_errors(path, "cannot read"), path.open("rb") as file:
        yield from parse_records(islice(file, skip, None), path)


def parse_records(lines: Iterable[bytes], path: os.PathLike[str]) -> Iterator[PartRecord]:
    """Read lines of records.

    Args:
        lines: The lines.
        path: Their file, for the message.

    Raises:
        DataError: A line is damaged.
    """
    for number, line in enumerate(lines, 1):
        record = PartRecord.of_line(line)
        if record is None:
            raise DataError(
                f"{os.fspath(path)} is damaged in line {number}", "score with --overwrite"
            )
        yield record


def write_records(path: Path, records: Iterable[PartRecord], *, owner: str) -> str:
    """Write a file of records, whole or not at all.

    Args:
        path: Path of the file.
        records: Its records, one on each line.
        owner: See `atomic_file`.

    Returns:
        The sha256 of the file.

    Raises:
        StorageError: The disk is full or failing.
    """
    with atomic_file(path, owner=owner) as file:
        for record in records:
            file.buffered.write(record.to_line())
    return file.sha256.hexdigest()
