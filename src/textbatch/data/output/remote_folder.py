"""An output of several parts in an object store. It has the methods of `folder`."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path

from textbatch.data.output.folder import MANIFEST, SUCCESS
from textbatch.data.output.ledger import parse_records, seals_of, write_records
from textbatch.data.output.leftovers import remove_leftovers
from textbatch.data.output.records import PartRecord, Success
from textbatch.data.output.work_directory import owner_of
from textbatch.data.storage.atomic_file import atomic_file
from textbatch.data.storage.file_io import file_io_of, new_input, new_output
from textbatch.data.storage.files import read_whole
from textbatch.data.storage.location import Location
from textbatch.data.storage.names import place_in
from textbatch.data.storage.private import private_directory
from textbatch.errors import DataError, OutputError, storage_errors
from textbatch.failpoints import failpoint

_SUCCESS_BYTES = 64 << 20
#: Where nothing is made on this machine.
_NOWHERE = Path(os.devnull)


class RemoteFolder:
    """A folder of objects. Parts are written locally, uploaded when finished, then removed here.

    Attributes:
        path: Where the output is.
        lock_place: The local directory; the lock is beside it. Not used if the output is only read.
        is_staged: True: parts are written elsewhere first.
    """

    is_staged = True

    def __init__(self, path: Location, stage: Path | None = None, *, shared: bool = False) -> None:
        """Nothing is looked at yet.

        Args:
            path: Where the output is.
            stage: The local directory; None if the output is only read.
            shared: Whether other processes write here too, of the same job: what they have written
                meanwhile has the same bytes, and may be replaced.
        """
        self.path, self.lock_place = path, stage or _NOWHERE
        self._shared = shared

    def check_place(self) -> None:
        """Make the local directory, and check that there is a library to upload with.

        Raises:
            OutputError: The directory cannot be made.
            UsageError: There is no such library.
        """
        new_output(self.path).check()
        if self.lock_place != _NOWHERE:  # the directory of a device is nobody's own
            private_directory(self.lock_place.parent)

    def is_empty(self) -> bool:
        """Whether it holds only hidden objects, or nothing."""
        return all(name.startswith(".") for name in self._names)

    def success(self) -> Success | None:
        """Read `_SUCCESS`; None if the output is not complete."""
        if SUCCESS not in self._names:
            return None
        path = self.path / SUCCESS
        return Success.of_bytes(read_whole(new_input(path), limit=_SUCCESS_BYTES), path)

    def records(self) -> Iterator[PartRecord]:
        """Yield the lines of the manifest; none without a manifest."""
        if self.has_manifest():
            path = self.path / MANIFEST
            with new_input(path).open() as lines:
                yield from parse_records(lines, path)

    def seals(self) -> dict[str, str]:
        """The seals of the parts in the manifest, as far as it can be read."""
        if not self.has_manifest():
            return {}
        with new_input(self.path / MANIFEST).open() as lines:
            return seals_of(lines)

    def has_manifest(self) -> bool:
        """Whether there is a manifest."""
        return MANIFEST in self._names

    def check_manifest(self, success: Success) -> None:
        """Check that the manifest is the one that `_SUCCESS` was written for.

        Raises:
            DataError: It is another one.
        """
        with new_input(self.path / MANIFEST).open() as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != success.manifest:
            raise DataError(
                f"{self.path / MANIFEST} has changed since it was written", "score with --overwrite"
            )

    def begin(self) -> None:
        """Remove `_SUCCESS`: from now on the content is not complete."""
        if SUCCESS in self._names:
            self.remove(SUCCESS)
        failpoint("success-removed")

    def place(self, part: str) -> Path:
        """The path where a part is written before it is uploaded."""
        path = place_in(self.lock_place, part)
        with storage_errors(path, "cannot create", missing=OutputError):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def publish(self, part: str) -> None:
        """Upload a finished part, and remove the local file.

        Raises:
            AccessError: The store does not allow it.
            TryAgainError: The store failed for too long.
        """
        local = self.lock_place / part
        # An object that came meanwhile is somebody else's.
        new_output(self.path / part).publish(local, overwrite=self._shared or part in self._names)
        self._names.add(part)
        with storage_errors(local, "cannot remove"):
            local.unlink(missing_ok=True)

    def sync(self) -> None:
        """Do nothing: what is uploaded is there."""

    def remove_leftovers(self, parts: Iterable[str]) -> None:
        """Remove the temporary files that dead runs left of parts on this machine.

        Args:
            parts: The names of all parts of the job.
        """
        remove_leftovers(self.lock_place, parts)

    def has(self, part: str) -> bool:
        """Whether a part is there."""
        return part in self._names

    def others(self, known: Collection[str]) -> Iterator[str]:
        """Yield visible objects that are not known. Readers would take them for parts."""
        # Others may have come since the last look.
        self.__dict__.pop("_names", None)
        for name in sorted(self._names):
            hidden = any(part.startswith(("_", ".")) for part in name.split("/"))
            if not hidden and name not in known:
                yield name

    def remove(self, part: str) -> None:
        """Remove a part that belongs to an earlier job."""
        new_output(self.path / part).remove()
        self._names.discard(part)

    def write_manifest(self, records: Iterable[PartRecord]) -> str:
        """Upload the list of all parts. Return its sha256."""
        digest = write_records(self.place(MANIFEST), records, owner=owner_of(self.lock_place))
        self.publish(MANIFEST)
        failpoint("manifest-written")
        return digest

    def write_success(self, record: Success) -> None:
        """Upload `_SUCCESS`: the output is complete. All local files are removed."""
        with atomic_file(self.place(SUCCESS), owner=owner_of(self.lock_place)) as file:
            file.buffered.write(record.to_bytes())
        self.publish(SUCCESS)
        failpoint("success-written")
        shutil.rmtree(self.lock_place, ignore_errors=True)

    @cached_property
    def _names(self) -> set[str]:
        """The objects that are there. They are listed once, as only this job may write here."""
        return {found.name for found in file_io_of(self.path).files_below(self.path)}
