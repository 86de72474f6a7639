"""A folder of releases: the versions of a model, and a record that names the current one.

    releases/
      current.json       which version is the current one; replaced last, in one step
      versions/NAME/     a model; no file of it ever changes

Whatever takes a model takes such a folder too. It reads the record once, and then knows only the
version: whoever promotes another one meanwhile does not disturb it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from textbatch.data.storage.file_io import file_io_of, new_input
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.files import read_whole
from textbatch.data.storage.location import Location, is_local, local
from textbatch.data.strict_json import Sha256
from textbatch.errors import BundleError, DataError, TextbatchError
from textbatch.model.bundle.strict_json import check_fields, parse_json
from textbatch.model.layout import LAYOUT

#: The record, and the folder of the versions.
RECORD, VERSIONS = "current.json", "versions"
FORMAT_VERSION = 1
_MAX_BYTES = 16 << 20

#: Time of the first promotion, and the beginning of the hash of the model's manifest.
VersionName = Annotated[str, Meta(pattern=r"\A[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}\Z")]
#: A time in UTC, as ISO 8601.
_Time = Annotated[str, Meta(pattern=r"\A[0-9T:+Z.-]{0,40}\Z")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a model.

    Attributes:
        name: Its name, and that of its folder.
        fingerprint: The fingerprint of the model.
        promoted: When it was promoted last, UTC, ISO 8601.
        withdrawn: When it was rolled back, UTC, ISO 8601; empty if it was not.
    """

    name: VersionName
    fingerprint: Sha256
    promoted: _Time
    withdrawn: _Time = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """What the record holds.

    Attributes:
        format: Version of the record's format.
        current: Name of the current version.
        versions: All versions, in the order in which they were current last; the current one is
            the last one that was not withdrawn.
    """

    format: int
    current: VersionName
    versions: tuple[Version, ...]

    def version(self, name: str) -> Version | None:
        """The version of a name; None if there is none."""
        return next((one for one in self.versions if one.name == name), None)


def read_releases(folder: Location) -> tuple[Releases, FileState] | None:
    """Read the record of a folder, and tell which state of the file that was.

    Args:
        folder: The folder.

    Returns:
        None if there is no record.

    Raises:
        BundleError: The record is malformed, or newer than this textbatch.
        TryAgainError: The store does not answer.
    """
    file = new_input(folder / RECORD)
    if not file.exists():
        return None
    state = file.look()
    try:
        data = read_whole(file, limit=_MAX_BYTES)
    except DataError as error:
        raise BundleError(error.what, "run again") from error
    return _parsed(data, folder), state


def place_of(folder: Location, version: str) -> Location:
    """Where a version stands.

    Args:
        folder: The folder of releases.
        version: Name of the version.
    """
    return folder / VERSIONS / version


def current_place(model: Location) -> Location | None:
    """Where the current version of a folder of releases stands; None if it is no such folder.

    Raises:
        BundleError: Its record is malformed.
        TryAgainError: The store does not answer.
    """
    found = find_releases(model)
    return place_of(model, found.current) if found else None


def find_releases(model: Location) -> Releases | None:
    """The record of a folder of releases; None if the place is no such folder.

    Args:
        model: The folder, a model, or anything else.

    Raises:
        BundleError: Its record is malformed.
        TryAgainError: The store does not answer.
    """
    if is_local(model):
        path = local(model)
        # What cannot be looked at is told when the model is loaded.
        if os.path.lexists(path / LAYOUT.manifest) or not os.path.isfile(path / RECORD):  # noqa: PTH113
            return None
    else:
        # A store may refuse to say what is not there. Then there is nothing to be found out.
        with suppress(TextbatchError):
            if not file_io_of(model).exists(model / RECORD):
                return None
    found = read_releases(model)
    return found[0] if found else None


def _parsed(data: bytes, folder: Location) -> Releases:
    name = f"{folder / RECORD}"
    value = parse_json(data, name)
    match value:
        case {"format": int(found)} if found > FORMAT_VERSION:
            raise BundleError(
                f"{name} has format {found}, this textbatch reads {FORMAT_VERSION}",
                "upgrade textbatch",
            )
    releases = check_fields(Releases, value, name)
    if releases.format != FORMAT_VERSION or releases.version(releases.current) is None:
        raise BundleError(f"{name} is malformed", "promote a model into a new folder")
    return releases
