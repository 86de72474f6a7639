"""An output of several parts: a directory with a manifest and, at the very end, `_SUCCESS`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from textbatch.data.output.ledger import read_records, seals_of, write_records
from textbatch.data.output.leftovers import remove_leftovers
from textbatch.data.output.records import PartRecord, Success
from textbatch.data.output.work_directory import owner_of
from textbatch.data.storage.atomic_file import atomic_file, sync_directory
from textbatch.data.storage.local import may_use
from textbatch.data.storage.location import local, resolved
from textbatch.data.storage.names import place_in
from textbatch.errors import AccessError, DataError, OutputError, storage_errors
from textbatch.failpoints import failpoint

MANIFEST, SUCCESS = "_manifest.jsonl", "_SUCCESS"


class OutputFolder:
    """The directory that holds the parts.

    Attributes:
        path: Path of the directory.
        lock_place: The path that the lock is beside.
        is_staged: False: parts are written at their final path.
    """

    is_staged = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unsynced: set[Path] = set()
        # The same folder by another name is the same folder.
        self.lock_place = local(resolved(path))
        if not self.lock_place.name:
            raise OutputError(f"{path} cannot be an output", "name a folder in it")

    def check_place(self) -> None:
        """Check that the directory may be made or used.

        Raises:
            OutputError: There is a file, or the parent directory does not exist.
            AccessError: The directory, or its parent, is not writable.
        """
        with storage_errors(self.path, "cannot look at"):
            if self.path.exists() and not self.path.is_dir():
                raise OutputError(f"{self.path} is a file", "name a directory for several inputs")
            above = self.path if self.path.is_dir() else self.path.parent
            if not above.is_dir():
                raise OutputError(f"there is no directory {above}", "create it first")
        if not may_use(above, os.W_OK | os.X_OK):
            raise AccessError(f"cannot write in {above}", "check the permissions")

    def is_empty(self) -> bool:
        """Whether it holds only hidden files, or nothing."""
        if not self.path.is_dir():
            return True
        with os.scandir(self.path) as entries:
            return all(entry.name.startswith(".") for entry in entries)

    def success(self) -> Success | None:
        """Read `_SUCCESS`; None if the output is not complete.

        Raises:
            DataError: It is damaged.
        """
        path = self.path / SUCCESS
        with storage_errors(path, "cannot read"):
            return Success.of_bytes(path.read_bytes(), path) if _is_record(path) else None

    def records(self) -> Iterator[PartRecord]:
        """Yield the lines of the manifest; none without a manifest.

        Raises:
            DataError: A line is damaged.
        """
        if _is_record(self.path / MANIFEST):
            yield from read_records(self.path / MANIFEST)

    def seals(self) -> dict[str, str]:
        """The seals of the parts in the manifest, as far as it can be read."""
        path = self.path / MANIFEST
        if not _is_record(path):
            return {}
        with storage_errors(path, "cannot read"), path.open("rb") as file:
            return seals_of(file)

    def check_manifest(self, success: Success) -> None:
        """Check that the manifest is the one that `_SUCCESS` was written for.

        Raises:
            DataError: It is another one, or there is none.
        """
        path = self.path / MANIFEST
        _is_record(path)
        digest = hashlib.sha256()
        with storage_errors(path, "cannot read", missing=DataError), path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != success.manifest:
            raise DataError(f"{path} has changed since it was written", "score with --overwrite")

    def begin(self) -> None:
        """Make the directory. From now on its content is not complete.

        Raises:
            StorageError: The disk is full or failing.
        """
        with storage_errors(self.path, "cannot create", missing=OutputError):
            self.path.mkdir(exist_ok=True)
            sync_directory(self.path.parent)
            (self.path / SUCCESS).unlink(missing_ok=True)
            sync_directory(self.path)
            failpoint("success-removed")

    def place(self, part: str) -> Path:
        """The path where a part is written. The folders above it are made.

        Raises:
            StorageError: They cannot be made.
        """
        path = place_in(self.path, part)
        with storage_errors(path, "cannot create", missing=OutputError):
            _make(path.parent)
        return path

    def publish(self, part: str) -> None:
        """Note that a part is at its final path; `sync` makes sure of it."""
        self._unsynced.add((self.path / part).parent)

    def sync(self) -> None:
        """Write to the disk that the parts which were published are there.

        Raises:
            StorageError: The disk is full or failing.
        """
        with storage_errors(self.path, "cannot write", missing=OutputError):
            for folder in self._unsynced:
                sync_directory(folder)
        self._unsynced.clear()

    def remove_leftovers(self, parts: Iterable[str]) -> None:
        """Remove the temporary files that dead runs left beside parts.

        Args:
            parts: The names of all parts of the job.
        """
        remove_leftovers(self.path, parts)

    def has(self, part: str) -> bool:
        """Whether a part is there."""
        return (self.path / part).is_file()

    def others(self, known: Collection[str]) -> Iterator[str]:
        """Yield visible files that are not known. Readers would take them for parts.

        Raises:
            StorageError: A directory cannot be listed.
        """
        with storage_errors(self.path, "cannot list"):
            for folder, folders, names in os.walk(self.path):
                folders[:] = [name for name in folders if not name.startswith(("_", "."))]
                for name in names:
                    part = os.path.relpath(Path(folder, name), self.path)
                    if not name.startswith(("_", ".")) and part not in known:
                        yield part

    def remove(self, part: str) -> None:
        """Remove a part that belongs to an earlier job.

        Raises:
            StorageError: It cannot be removed.
        """
        with storage_errors(self.path / part, "cannot remove"):
            (self.path / part).unlink(missing_ok=True)

    def has_manifest(self) -> bool:
        """Whether there is a manifest."""
        return (self.path / MANIFEST).is_file()

    def write_manifest(self, records: Iterable[PartRecord]) -> str:
        """Write the list of all parts. Return its sha256.

        Raises:
            StorageError: The disk is full or failing.
        """
        digest = write_records(self.path / MANIFEST, records, owner=owner_of(self.path))
        failpoint("manifest-written")
        return digest

    def write_success(self, record: Success) -> None:
        """Write `_SUCCESS`: the output is complete.

        Raises:
            StorageError: The disk is full or failing.
        """
        # An older one was removed when the job began; its rights were those of the manifest.
        place, manifest = self.path / SUCCESS, self.path / MANIFEST
        with atomic_file(place, owner=owner_of(self.path), like=manifest) as file:
            file.buffered.write(record.to_bytes())
        failpoint("success-written")


def _is_record(path: Path) -> bool:
    """Whether a record is there. A pipe under its name would let whoever reads it wait for ever.

    Raises:
        DataError: Something else than a file has its name.
    """
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is no regular file", "remove it, then score with --overwrite")
    return path.exists()


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_directory(folder.parent)
