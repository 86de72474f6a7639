"""Where a file stands: on this machine, or in an object store."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

PathLike = str | os.PathLike[str]


# `Path` leaves one slash of a URI's two.
_URI = re.compile(r"([a-z][a-z0-9+.-]+):/+(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class RemotePath:
    """A URI such as `s3://bucket/folder/file.parquet`; has what the readers need of a `Path`.

    Attributes:
        scheme: Of the URI.
        key: What follows the `://`, without a slash at the end.
    """

    scheme: str
    key: str

    @property
    def name(self) -> str:
        """The last part."""
        return PurePosixPath(self.key).name

    @property
    def suffix(self) -> str:
        """The last part's suffix."""
        return PurePosixPath(self.key).suffix

    def with_suffix(self, suffix: str) -> RemotePath:
        """The same with another suffix."""
        return RemotePath(self.scheme, str(PurePosixPath(self.key).with_suffix(suffix)))

    def __truediv__(self, part: str) -> RemotePath:
        return RemotePath(self.scheme, f"{self.key}/{part}")

    def is_within(self, other: RemotePath) -> bool:
        """Whether it is the other one or stands below it."""
        return self == other or (
            self.scheme == other.scheme and self.key.startswith(f"{other.key}/")
        )

    def __fspath__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.key}"


Location = Path | RemotePath


def location_of(path: str | os.PathLike[str]) -> Location:
    """A path on this machine, or a URI of an object store."""
    if isinstance(path, RemotePath):
        return path
    found = _URI.fullmatch(os.fspath(path))
    if found is None or found[1] == "file":
        return Path(os.fspath(path).removeprefix("file://"))
    return RemotePath(found[1], found[2].rstrip("/"))


def resolved(location: Location) -> Location:
    """A location that can be compared with others, links followed."""
    return location if isinstance(location, RemotePath) else location.resolve()


def is_within(location: Location, folder: Location) -> bool:
    """Whether a resolved location is a resolved folder or stands below it."""
    if isinstance(location, RemotePath) or isinstance(folder, RemotePath):
        return (
            isinstance(location, RemotePath)
            and isinstance(folder, RemotePath)
            and location.is_within(folder)
        )
    return location.is_relative_to(folder)


def local(location: Location) -> Path:
    """A location that is known to be on this machine.

    Raises:
        TypeError: It is not.
    """
    if isinstance(location, RemotePath):
        raise TypeError(f"{location} is not on this machine")
    return location


def paths_of(paths: PathLike | Sequence[PathLike]) -> tuple[Path, ...]:
    """One path or several."""
    several = [paths] if isinstance(paths, str | os.PathLike) else paths
    return tuple(map(Path, several))


def path_of(path: PathLike | None) -> Path | None:
    """A path, or none."""
    return None if path is None else Path(path)


def location_or_none(path: PathLike | None) -> Location | None:
    """A path or a URI, or none."""
    return None if path is None else location_of(path)
