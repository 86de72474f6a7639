"""The ledger: the finished parts of a folder job, one line of JSON for each.

A line comes after its part. It is synced now and then: a killed job loses none, and where a power
cut takes lines, the next run finds their parts by what these say of themselves. The ledger is
beside the lock, and shows the next run where an interrupted one stopped. At the end it becomes
`_manifest.jsonl` in the output, which shows `--incremental` the input files that have been seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from textbatch.data.json_text import json_text
from textbatch.data.output.records import PartRecord
from textbatch.data.readers.identity import InputMark
from textbatch.data.storage.atomic_file import atomic_file
from textbatch.data.storage.private import open_private
from textbatch.data.strict_json import RunId, read_record, to_json
from textbatch.errors import DataError, OutputError, storage_errors
from textbatch.failpoints import failpoint

#: Increased when a field of a line changes its meaning.
FORMAT_VERSION = 2
_FIRST_LINE = f"{json_text({'format': FORMAT_VERSION})}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """The line of a run that began."""

    run: RunId


class Ledger:
    """The parts that this run and earlier interrupted runs have published.

    Besides the parts it has a line for each run that began. So it knows what an output holds by its
    own doing, also where an interrupted run was of another job.

    Attributes:
        finished: For each part of this job the state of its input; see `listing.ListedFile.state`.
        seals: For each part, of any job, its seal.
        marks: For each part, of any job, the mark of its input.
        runs: The ids of all runs.
    """

    def __init__(self, path: Path | None, job: str, *, looks: bool = False) -> None:
        """Open the ledger of an interrupted run, if there is one.

        Args:
            path: Path of the file. `begin` makes it. None for none.
            job: Key of the job. Parts of another job are not finished.
            looks: Only look what is there: nothing is mended or removed, nor can be added.

        Raises:
            StorageError: The file cannot be read or removed.
        """
        self.path = path
        self.finished: dict[str, str] = {}
        self.seals: dict[str, str] = {}
        self.marks: dict[str, InputMark] = {}
        self.runs: set[str] = set()
        self._job = job
        self._descriptor: int | None = None
        if path is not None:
            with storage_errors(path, "cannot use"):
                self._open(path, looks=looks)

    @property
    def begun(self) -> bool:
        """Whether there is a file, of this run or an earlier one."""
        return self._descriptor is not None

    def begin(self, run_id: str) -> None:
        """Note that a run begins, before it publishes anything. The file is made if there is none.

        Args:
            run_id: Id of the run.

        Raises:
            StorageError: The disk is full or failing.
        """
        assert self.path is not None
        with storage_errors(self.path, "cannot write", missing=OutputError):
            if self._descriptor is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
                self._descriptor = open_private(self.path, flags)
                self._write(_FIRST_LINE)
            self._write(f"{json_text(to_json(_Begun(run=run_id)))}\n".encode())
            os.fsync(self._descriptor)
        self.runs.add(run_id)

    def add(self, record: PartRecord, *, sync: bool = True) -> None:
        """Add a part that is at its final path.

        Args:
            record: The part.
            sync: Whether all lines have to be on the disk then.

        Raises:
            StorageError: The disk is full or failing.
        """
        assert self.path is not None
        assert self._descriptor is not None
        with storage_errors(self.path, "cannot write", missing=OutputError):
            self._write(record.to_line())
        if sync:
            self.sync()
        self._note(record)

    def sync(self) -> None:
        """Write all lines to the disk.

        Raises:
            StorageError: The disk is full or failing.
        """
        assert self.path is not None
        if self._descriptor is not None:
            with storage_errors(self.path, "cannot write", missing=OutputError):
                os.fsync(self._descriptor)

    def records(self) -> Iterator[PartRecord]:
        """Yield the parts of this job, by their names: not in the order in which they were done.

        A part that was added twice comes twice, its last line last.
        """
        if self.path is None or self._descriptor is None:
            return
        with storage_errors(self.path, "cannot read"), self.path.open("rb") as file:
            at, places = len(file.readline()), []
            for line in file:
                record = PartRecord.of_line(line)
                if record is not None and record.job == self._job:
                    places.append((record.part, at))
                at += len(line)
            # Only names and places stay in memory: there may be many parts.
            for _, at in sorted(places):
                file.seek(at)
                record = PartRecord.of_line(file.readline())
                assert record is not None
                yield record

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

    def _open(self, path: Path, *, looks: bool) -> None:
        try:
            descriptor = open_private(path, os.O_RDONLY if looks else os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return
        with open(descriptor, "rb", closefd=False) as file:
            same = file.readline() == _FIRST_LINE
            end = file.tell()
            for line in file if same else ():
                if not self._read(line):  # torn by a power cut
                    break
                end += len(line)
        if same:
            if not looks:
                os.ftruncate(descriptor, end)
            self._descriptor = descriptor
        else:
            os.close(descriptor)
            if not looks:
                path.unlink()

    def _read(self, line: bytes) -> bool:
        if record := PartRecord.of_line(line):
            self._note(record)
            return True
        try:
            self.runs.add(read_record(_Begun, line).run)
        except ValueError:
            return False
        return line.endswith(b"\n")

    def _note(self, record: PartRecord) -> None:
        self.seals[record.part] = record.seal
        self.marks[record.part] = record.input.mark
        # A part that another job has made anew since is not this job's any more.
        self.finished.pop(record.part, None)
        if record.job == self._job:
            self.finished[record.part] = record.state

    def _write(self, line: bytes) -> None:
        assert self._descriptor is not None
        data = memoryview(line)
        while data:
            data = data[os.write(self._descriptor, data) :]


def read_records(path: Path) -> Iterator[PartRecord]:
    """Read a file of records, one after the other.

    Args:
        path: The file.

    Raises:
        DataError: A line is damaged.
        StorageError: The file cannot be read.
    """
    with storage_errors(path, "cannot read"), path.open("rb") as file:
        yield from parse_records(file, path)


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


def seals_of(lines: Iterable[bytes]) -> dict[str, str]:
    """Read the seals of the parts in lines of records. Damaged lines are passed over.

    Args:
        lines: The lines.

    Returns:
        The seals by part.
    """
    records = filter(None, map(PartRecord.of_line, lines))
    return {record.part: record.seal for record in records}


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
