"""Names of places: on this machine, or in an object store.

This module only handles names. `file_io` looks at the places.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

from textbatch.errors import ConflictError, storage_errors
from textbatch.options.credentials import refuse_credentials

PathLike = str | os.PathLike[str]
#: Stands for standard input where a file is asked for.
STANDARD_INPUT = Path("-")


_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
#: A `Path` has only one slash after the scheme of a URI.
_URI_IN_PATH = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class RemotePath:
    """An object, or a folder of objects: a bucket and an exact key. The key is never changed.

    It has those methods of a `Path` that the readers use.

    Attributes:
        scheme: Scheme of the URI.
        bucket: The part after `://`, up to the first slash.
        key: The part after that slash, without a slash at its end; empty for the bucket itself.
    """

    scheme: str
    bucket: str
    key: str = ""

    @property
    def name(self) -> str:
        """The part after the last slash."""
        return self.key.rpartition("/")[2] if self.key else self.bucket

    @property
    def suffix(self) -> str:
        """The suffix of the name."""
        return PurePosixPath(self.name).suffix

    @property
    def address(self) -> str:
        """Bucket and key as one text, which is the path in file systems of object stores."""
        return f"{self.bucket}/{self.key}" if self.key else self.bucket

    @property
    def prefix(self) -> str:
        """The beginning of the keys of all objects below it."""
        return f"{self.key}/" if self.key else ""

    def __truediv__(self, part: str) -> RemotePath:
        return RemotePath(self.scheme, self.bucket, f"{self.prefix}{part}")

    def is_within(self, other: RemotePath) -> bool:
        """Whether it is the other one, or is below it."""
        same = (self.scheme, self.bucket) == (other.scheme, other.bucket)
        return self == other or (same and self.key.startswith(other.prefix))

    def __fspath__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.address}"


Location = Path | RemotePath


def location_of(path: str | os.PathLike[str]) -> Location:
    """Make a location of a path on this machine or a URI of an object store.

    Raises:
        ConflictError: It holds credentials.
    """
    if isinstance(path, RemotePath):
        return path
    text = os.fspath(path)
    refuse_credentials(text)
    found = (_URI_IN_PATH if isinstance(path, PurePosixPath) else _URI).fullmatch(text)
    if found is None:
        return Path(text)
    scheme = found[1].lower()
    if scheme == "file":
        return Path(text.removeprefix(f"{found[1]}://"))
    bucket, _, key = found[2].partition("/")
    return RemotePath(scheme, bucket, key.removesuffix("/"))


def is_local(location: Location) -> bool:
    """Whether a place is on this machine."""
    return not isinstance(location, RemotePath)


def resolved(location: Location) -> Location:
    """Follow links, so that locations can be compared.

    Raises:
        InputNotFoundError: It is relative to the current directory, and that was removed.
    """
    if isinstance(location, RemotePath):
        return location
    with storage_errors(location, "cannot find the current directory, to look for"):
        return Path(os.path.realpath(location))


def is_within(location: Location, folder: Location) -> bool:
    """Whether a location is a folder, or is below it.

    Args:
        location: Resolved.
        folder: Resolved.
    """
    if isinstance(location, RemotePath) or isinstance(folder, RemotePath):
        return (
            isinstance(location, RemotePath)
            and isinstance(folder, RemotePath)
            and location.is_within(folder)
        )
    return location.is_relative_to(folder)


def parent_of(location: Location) -> Location:
    """The folder above a place; a root or a bucket itself.

    Args:
        location: The place.
    """
    if isinstance(location, RemotePath):
        return RemotePath(location.scheme, location.bucket, location.key.rpartition("/")[0])
    return location.parent


def relative_name(location: Location, folder: Location) -> str | None:
    """The name of a place below a folder, with slashes; None if it is not below it.

    Args:
        location: Resolved.
        folder: Resolved.
    """
    if not is_within(location, folder):
        return None
    if isinstance(location, RemotePath) and isinstance(folder, RemotePath):
        return location.key.removeprefix(folder.prefix)
    return Path(location).relative_to(folder).as_posix()


def folder_of_pattern(pattern: Location) -> Location:
    """The folder above the first part of a glob with `*`, `?` or `[`.

    Args:
        pattern: The glob.
    """
    parts = pattern.key.split("/") if isinstance(pattern, RemotePath) else pattern.parts
    plain = list(takewhile(lambda part: not set(part) & set("*?["), parts))
    if isinstance(pattern, RemotePath):
        return RemotePath(pattern.scheme, pattern.bucket, "/".join(plain))
    return Path(*plain)


def local(location: Location) -> Path:
    """The path of a location that is known to be on this machine.

    Raises:
        TypeError: It is not on this machine.
    """
    if isinstance(location, RemotePath):
        raise TypeError(f"{location} is not on this machine")
    return location


def local_only(path: PathLike, flag: str) -> Path:
    """The path that a flag names. It has to be on this machine.

    Args:
        path: A path or a URI.
        flag: The flag, for the message.

    Raises:
        ConflictError: It is in an object store.
    """
    location = location_of(path)
    if isinstance(location, RemotePath):
        raise ConflictError(f"{flag} names an object store", "give a path on this machine")
    return location


def paths_of(paths: PathLike | Sequence[PathLike]) -> tuple[Path, ...]:
    """Make a tuple of one path or several."""
    several = [paths] if isinstance(paths, str | os.PathLike) else paths
    return tuple(map(Path, several))


def locations_of(paths: PathLike | Sequence[PathLike]) -> tuple[Location, ...]:
    """Make a tuple of one path or URI, or several."""
    several = [paths] if isinstance(paths, str | os.PathLike) else paths
    return tuple(map(location_of, several))


def path_of(path: PathLike | None) -> Path | None:
    """Make a path; None stays None."""
    return None if path is None else Path(path)


def location_or_none(path: PathLike | None) -> Location | None:
    """Make a location of a path or a URI; None stays None."""
    return None if path is None else location_of(path)
