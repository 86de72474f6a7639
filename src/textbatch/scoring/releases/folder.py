"""The folder of releases, as it is written: a version first, the record last, then what is old."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textbatch.data.output.work_directory import WorkDirectory
from textbatch.data.storage.file_io import exists, file_io_of, is_folder, new_output
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.files import is_hidden
from textbatch.data.storage.location import Location, is_local, local
from textbatch.data.strict_json import to_json
from textbatch.errors import BundleError, InputNotFoundError, OutputError, TextbatchError
from textbatch.failpoints import failpoint
from textbatch.model.bundle.directory import read_verified
from textbatch.model.bundle.fetch import load_model
from textbatch.model.bundle.releases import (
    FORMAT_VERSION,
    RECORD,
    VERSIONS,
    Releases,
    Version,
    place_of,
    read_releases,
)
from textbatch.model.bundle.strict_json import dump_json
from textbatch.model.layout import LAYOUT, RESTORE

_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")
#: In a store there is no lock: what another run may be uploading stays for so long.
_UPLOAD = timedelta(days=1)


class ReleaseFolder:
    """A folder of releases that is being changed.

    Attributes:
        path: The folder.
        releases: What its record said when it was opened; None for a new folder.
    """

    def __init__(self, path: Location) -> None:
        """Read the record.

        Args:
            path: The folder.

        Raises:
            BundleError: The record is malformed.
            OutputError: There is something else.
        """
        self.path = path
        found = read_releases(path)
        self.releases: Releases | None = found[0] if found else None
        self._seen: FileState | None = found[1] if found else None
        self._named = {one.name for one in found[0].versions} if found else set[str]()
        if found is None:
            _check_new(path)

    @property
    def current(self) -> Version | None:
        """The current version; None in a new folder."""
        return self.releases.version(self.releases.current) if self.releases else None

    def place(self, version: Version) -> Location:
        """Where a version stands."""
        return place_of(self.path, version.name)

    def add(self, source: Path) -> Version:
        """Copy a model into the folder, as a version that nobody reads yet.

        Args:
            source: The model, on this machine. Each byte is compared with its manifest.

        Raises:
            BundleError: The model has changed, or is damaged.
            OutputError: The folder cannot be made.
            StorageError: The disk is full or failing.
        """
        files = read_verified(source)
        manifest = (source / LAYOUT.manifest).read_bytes()
        now = datetime.now(UTC)
        digest = hashlib.sha256(manifest).hexdigest()
        version = Version(
            name=f"{now:%Y%m%dT%H%M%SZ}-{digest[:8]}",
            fingerprint=files.manifest.fingerprint,
            promoted=now.isoformat(timespec="seconds"),
        )
        place = self.place(version)
        if self.releases and self.releases.version(version.name):
            return version  # the same model in the same second
        file_io_of(place).make_folder(place)
        failpoint("version-begun")
        try:
            for name, listed in files.manifest.files.items():
                data = (source / name).read_bytes()
                if hashlib.sha256(data).hexdigest() != listed.sha256:
                    raise BundleError(f"{source / name} changes while it is read", RESTORE)
                new_output(place / name).write(data)
            new_output(place / LAYOUT.manifest).write(manifest)
            failpoint("version-written")
            if load_model(place).fingerprint != version.fingerprint:
                raise BundleError(f"{place} is not what was written", "run again")
        except BaseException:
            # Nobody reads it. What cannot be removed now, the next `promote` removes.
            with suppress(TextbatchError, OSError):
                file_io_of(place).remove_folder(place)
            raise
        return version

    def record(self, releases: Releases) -> None:
        """Make a version the current one, in one step.

        Args:
            releases: The new record.

        Raises:
            TryAgainError: Another run has changed the record since it was read.
        """
        new_output(self.path / RECORD).swap(dump_json(to_json(releases)), self._seen)
        failpoint("current-written")
        self.releases = releases

    def tidy(self) -> tuple[str, ...]:
        """Remove the versions that the record does not name: old ones, and those of dead runs.

        Returns:
            The names of those that earlier records had.

        Raises:
            AccessError: The store does not allow it.
            TryAgainError: The store does not answer.
        """
        known = {one.name for one in self.releases.versions} if self.releases else set()
        old = self._named - known
        for name in sorted((old | _names_in(self.path / VERSIONS)) - known):
            file_io_of(self.path).remove_folder(self.path / VERSIONS / name)
            failpoint("old-removed")
        return tuple(sorted(old))


@contextmanager
def held(path: Location, run_id: str, *, dry_run: bool = False) -> Iterator[ReleaseFolder]:
    """Open a folder of releases to change it. On this machine nobody else can do that meanwhile.

    In a store two runs may begin. The one that ends later finds that the record has changed.

    Args:
        path: The folder.
        run_id: Id of this run.
        dry_run: Whether nothing will be changed; then nothing is locked either.

    Raises:
        TryAgainError: Another run changes the folder now.
        BundleError: Its record is malformed.
        OutputError: There is something else, or it cannot be made.
    """
    folder = ReleaseFolder(path)
    if dry_run or not is_local(path):
        yield folder
        return
    made = [one for one in (path, path / VERSIONS) if not is_folder(one)]
    for one in made:
        file_io_of(one).make_folder(one)
    lock = WorkDirectory(local(path / VERSIONS), run_id)
    try:
        # It may have changed before it was locked.
        yield ReleaseFolder(path)
    finally:
        lock.release(keep=False)
        # Where nothing was promoted, nothing is left.
        with suppress(OSError):
            for one in reversed(made):
                local(one).rmdir()


def check_releases(path: Location) -> None:
    """Check that there is a folder of releases.

    Args:
        path: The folder.

    Raises:
        InputNotFoundError: There is none.
        BundleError: Its record is malformed.
    """
    if read_releases(path) is None:
        raise InputNotFoundError(
            f"{path} is no folder of releases", "name one that `textbatch promote` has made"
        )


def promoted(releases: Releases | None, version: Version, *, keep: int) -> Releases:
    """The record after a version was promoted.

    Args:
        releases: The record before; None in a new folder.
        version: The version.
        keep: How many versions stay.
    """
    before = [one for one in (releases.versions if releases else ()) if one.name != version.name]
    if releases:
        # What was rolled back goes before what it gave way to, which is the one to go back to.
        before.sort(key=lambda one: one.name == releases.current)
    kept = [*before, version][-keep:]
    return Releases(format=FORMAT_VERSION, current=version.name, versions=tuple(kept))


def rolled_back(releases: Releases, to: Version) -> Releases:
    """The record after another version became the current one again.

    Args:
        releases: The record before.
        to: The version. All that came after it are withdrawn, up to the one that was current.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    names = [one.name for one in releases.versions]
    left = names[names.index(to.name) + 1 : names.index(releases.current) + 1]
    versions = [
        replace(one, withdrawn="" if one.name == to.name else one.withdrawn or now)
        if one.name in (to.name, *left)
        else one
        for one in releases.versions
    ]
    return Releases(format=FORMAT_VERSION, current=to.name, versions=tuple(versions))


def _check_new(path: Location) -> None:
    """Check that a folder may become one of releases."""
    if exists(path / LAYOUT.manifest):
        raise OutputError(
            f"{path} is a model, and no folder of releases",
            "name another folder with --to, and promote this model into it first",
        )
    if not is_local(path):
        names = {found.name.split("/")[0] for found in file_io_of(path).files_below(path)}
    elif is_folder(path):
        names = {one.name for one in local(path).iterdir()}
    else:
        if exists(path):
            raise OutputError(f"{path} is no folder", "name another place with --to")
        new_output(path).check()
        names = set()
    # What a dead first run may have left.
    if odd := sorted(one for one in names if one != VERSIONS and not is_hidden(one)):
        raise OutputError(
            f"{path} holds other files, such as {odd[0]}", "name a new folder with --to"
        )


def _names_in(versions: Location) -> set[str]:
    """The names of the versions that stand in a folder, but for those that may be on their way."""
    if is_local(versions):
        return {one.name for one in local(versions).iterdir() if _NAME.fullmatch(one.name)}
    found: dict[str, int] = {}
    for one in file_io_of(versions).files_below(versions):
        name = one.name.split("/")[0]
        if _NAME.fullmatch(name):
            found[name] = max(found.get(name, 0), one.state.modified if one.state else 0)
    newest = (datetime.now(UTC) - _UPLOAD).timestamp() * 1e9
    return {name for name, modified in found.items() if modified < newest}
