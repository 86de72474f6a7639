"""The finished parts of a folder job: one JSON line each, on the disk as soon as a part is.

Beside the lock it tells the next run where an interrupted one stopped; as `_manifest.jsonl` in
the output it tells `--incremental` which input files have been seen.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from textbatch.data.storage.atomic_file import atomic_file
from textbatch.errors import DataError, OutputError, storage_errors
from textbatch.failpoints import failpoint

#: Raised when a line's fields change their meaning.
FORMAT_VERSION = 1

Entry = dict[str, Any]


class Ledger:
    """Parts that this job has published, noted by this run and those before it.

    Attributes:
        finished: Of each part, what its input was like; see `listing.InputFile.state`.
    """

    def __init__(self, path: Path | None, job: str) -> None:
        """Open the ledger of an interrupted run, if it is of the same job.

        Args:
            path: Of the file, which `begin` creates; None for a plan that notes nothing.
            job: What makes two runs the same job; another one's ledger is dropped.

        Raises:
            StorageError: The file cannot be read or removed.
        """
        self.path = path
        self.finished: dict[str, str] = {}
        self._first_line = json.dumps({"format": FORMAT_VERSION, "job": job}) + "\n"
        self._descriptor: int | None = None
        if path is not None:
            with storage_errors(path, "cannot use"):
                self._open(path)

    @property
    def begun(self) -> bool:
        """Whether there is a file, of this run or one before it."""
        return self._descriptor is not None

    def begin(self) -> None:
        """Create the file, where there is none.

        Raises:
            StorageError: The disk is full or failing.
        """
        assert self.path is not None
        if self._descriptor is None:
            with storage_errors(self.path, "cannot write", missing=OutputError):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                self._descriptor = os.open(self.path, flags | os.O_APPEND, 0o600)
                self._write(self._first_line)

    def add(self, entry: Entry) -> None:
        """Note a part that stands in its place.

        Raises:
            StorageError: The disk is full or failing.
        """
        self.begin()
        assert self.path is not None
        assert self._descriptor is not None
        with storage_errors(self.path, "cannot write", missing=OutputError):
            self._write(_line(entry))
            os.fsync(self._descriptor)
        self.finished[entry["part"]] = entry["state"]

    def entries(self) -> Iterator[Entry]:
        """What is noted, in order; a part that was noted twice comes twice."""
        if self.path is not None and self._descriptor is not None:
            yield from read_entries(self.path, skip=1)

    def remove(self) -> None:
        """The job is done.

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
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_APPEND
        try:
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            return
        with open(descriptor, "rb", closefd=False) as file:
            same = file.readline() == self._first_line.encode()
            end = file.tell()
            for line in file if same else ():
                entry = _parsed(line)
                if entry is None:  # torn by a power cut
                    break
                self.finished[entry["part"]] = entry["state"]
                end += len(line)
        if same:
            os.ftruncate(descriptor, end)
            self._descriptor = descriptor
        else:
            os.close(descriptor)
            path.unlink()

    def _write(self, line: str) -> None:
        assert self._descriptor is not None
        data = memoryview(line.encode())
        while data:
            data = data[os.write(self._descriptor, data) :]


def read_entries(path: Path, *, skip: int = 0) -> Iterator[Entry]:
    """Read a file of entries, one after the other.

    Raises:
        DataError: A line is damaged.
        StorageError: The file cannot be read.
    """
    with storage_errors(path, "cannot read"), path.open("rb") as file:
        yield from parse_entries(islice(file, skip, None), path)


def parse_entries(lines: Iterable[bytes], path: os.PathLike[str]) -> Iterator[Entry]:
    """Read lines of entries.

    Raises:
        DataError: One of them is damaged.
    """
    for line in lines:
        entry = _parsed(line)
        if entry is None:
            raise DataError(f"{os.fspath(path)} is damaged", "score with --overwrite")
        yield entry


def write_entries(path: Path, entries: Iterable[Entry], *, owner: str) -> str:
    """Write a file of entries, whole or not at all.

    Args:
        path: Of the file.
        entries: Its lines.
        owner: As of `atomic_file`.

    Returns:
        Its sha256.

    Raises:
        StorageError: The disk is full or failing.
    """
    with atomic_file(path, owner=owner) as file:
        for entry in entries:
            file.buffered.write(_line(entry).encode())
    return file.sha256.hexdigest()


def _line(entry: Mapping[str, Any]) -> str:
    # Plain ASCII: names that are not UTF-8 become escapes and come back as they were.
    return json.dumps(entry) + "\n"


def _parsed(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    whole = line.endswith(b"\n") and isinstance(entry, dict) and {"part", "state"} <= entry.keys()
    return entry if whole else None
