"""All places of a command: none that is written may be, or hold, or lie in another one.

Which options name places, and which of these are written, the options say themselves.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textbatch.data.storage.files import MAGIC
from textbatch.data.storage.location import (
    STANDARD_INPUT,
    Location,
    RemotePath,
    folder_of_pattern,
    is_within,
    local,
    relative_name,
    resolved,
)
from textbatch.data.storage.names import is_temporary_of
from textbatch.data.storage.patterns import expression_of
from textbatch.data.storage.walk import Walk
from textbatch.errors import InputNotFoundError, OutputError, PlaceTakenError, storage_errors
from textbatch.options import Option, Options, options_of

_REMEDY = "give each a place of its own"
#: Schemes that are another name of a store.
_SAME_STORE = {"s3a": "s3", "gcs": "gs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file or folder of a command.

    Attributes:
        option: What names it, for messages.
        given: As it was named.
        is_written: Whether it is written.
        is_deep: Whether the folders in it are read too.
    """

    option: str
    given: Location
    is_written: bool = False
    is_deep: bool = False

    @property
    def location(self) -> Location:
        """The place itself; of standard input, what it comes from."""
        if self.given == STANDARD_INPUT and not self.is_written:
            return Path("/dev/stdin")
        return self.given

    @property
    def pattern(self) -> Location | None:
        """The place, if it is a glob."""
        if self.is_written or not MAGIC.search(str(self.given)):
            return None
        return None if self.state else self.given

    @property
    def state(self) -> os.stat_result | None:
        """What is there; None if nothing is, or if it cannot be looked at."""
        with suppress(OSError):
            return None if isinstance(self.location, RemotePath) else self.location.stat()
        return None

    def __str__(self) -> str:
        return f"{self.option} {self.given}"


@dataclass(frozen=True, slots=True)
class _Found:
    """A place, its path with links followed, and device and inode of the file that is there."""

    place: Place
    root: Location
    file: tuple[int, int] | None

    @classmethod
    def of(cls, place: Place) -> _Found | None:
        """Look at a place. None for what may have several uses: the null device, standard input."""
        root, found = resolved(place.location), place.state
        if isinstance(root, RemotePath):
            root = replace(root, scheme=_SAME_STORE.get(root.scheme, root.scheme))
        if found and stat.S_ISREG(found.st_mode):
            return cls(place, root, _file(found))
        shared = place.location != place.given or root == Path(os.devnull)
        return None if shared else cls(place, root, None)

    def check_apart(self, other: _Found) -> None:
        """Check that this place, which is written, is none of another one."""
        if self.root == other.root or (self.file is not None and self.file == other.file):
            raise PlaceTakenError(f"{self.place} is {other.place}", _REMEDY)
        if is_within(self.root, other.root):
            raise PlaceTakenError(f"{self.place} lies in {other.place}", _REMEDY)
        if is_within(other.root, self.root):
            raise PlaceTakenError(f"{other.place} lies in {self.place}", _REMEDY)
        if _is_temporary(other.root, self.root):
            raise PlaceTakenError(f"{other.place} is a temporary name of {self.place}", _REMEDY)

    def check_unmatched(self, pattern: Place) -> None:
        """Check that this place, which is written, does not become part of a glob."""
        assert pattern.pattern is not None
        base = folder_of_pattern(pattern.pattern)
        name = relative_name(self.root, resolved(base))
        wanted = relative_name(pattern.pattern, base)
        if name and wanted and expression_of(wanted).match(name):
            raise PlaceTakenError(f"{self.place} matches {pattern}", _REMEDY)


def check_places(config: Options) -> None:
    """Check the places of a job; see `check_apart` and `check_usable`.

    Raises:
        PlaceTakenError: A place that is to be written is one of the others, or lies in it.
        TextbatchError: A path cannot be that of a file, or may not be looked at.
    """
    check_apart(type(config), vars(config))
    check_usable(config)


def check_apart(options: type[Options], values: Mapping[str, Any], *others: Place) -> None:
    """Check that no place that is to be written has another use. Nothing is written before.

    Links, hard links and other spellings are followed.

    Args:
        options: The options of the command.
        values: What they were given, by name. What is not there has its default.
        *others: Other places that are read.

    Raises:
        PlaceTakenError: A place that is to be written is one of the others, or lies in it.
    """
    places = [*_places(options, values), *others]
    # The last options first: these are the report and the like, which messages are to name.
    written = [found for one in reversed(places) if one.is_written and (found := _Found.of(one))]
    for place in places if written else ():
        apart = [one for one in written if one.place.option != place.option]
        for found in _found_in(place, apart):
            for one in apart:
                one.check_apart(found)
        if place.pattern:
            for one in apart:
                one.check_unmatched(place)


def check_usable(config: Options) -> None:
    """Check that the paths of a job can be those of files, and may be looked at.

    Args:
        config: Its options.

    Raises:
        InputNotFoundError: A path that is read is too long, a ring of links, or below a file.
        OutputError: A path that is to be written is.
        AccessError: A directory above may not be entered.
        StorageError: The disk is failing.
    """
    for place in _places(type(config), vars(config)):
        if isinstance(place.given, RemotePath) or place.location != place.given:
            continue
        if place.pattern:
            continue
        missing = OutputError if place.is_written else InputNotFoundError
        action = "cannot write" if place.is_written else "cannot read"
        with storage_errors(place.given, action, missing=missing), suppress(FileNotFoundError):
            place.given.stat()


def _places(options: type[Options], values: Mapping[str, Any]) -> Iterator[Place]:
    for option in options_of(options):
        value = values.get(option.name, option.default)
        if not option.use or value is None or value is ...:
            continue
        made = option.made(value)
        for one in made if option.many else (made,):
            yield from _places_of(option, one)


def _places_of(option: Option, value: Location) -> Iterator[Place]:
    is_written = option.use == "written"
    named = option.writes or option.reads
    for place in named(value) if named else (value,):
        yield Place(option=option.shown, given=place, is_written=is_written, is_deep=option.many)


def _found_in(place: Place, written: list[_Found]) -> Iterator[_Found]:
    """A place, and what in its folders or under its glob could be one of the written places."""
    if place.pattern and not isinstance(place.given, RemotePath):
        base = folder_of_pattern(place.given)
        walk = Walk(local(base), place.given.parts[len(local(base).parts) :], strict=False)
        for entry in walk.entries():
            yield from _found_in(replace(place, given=entry.path), written)
        return
    if found := _Found.of(place):
        yield found
    if not isinstance(place.given, RemotePath):
        files = {one.file[1] for one in written if one.file}
        for inner in _odd_entries(os.fspath(place.given), files, is_deep=place.is_deep):
            if found := _Found.of(replace(place, given=inner)):
                yield found


def _odd_entries(folder: str, files: set[int], *, is_deep: bool) -> Iterator[Path]:
    """Yield what in a folder could be a place elsewhere: links, and files with such an inode."""
    waiting, seen = [folder], set[str]()
    while waiting:
        here = waiting.pop()
        if (root := os.path.realpath(here)) in seen:
            continue
        seen.add(root)
        for entry in _entries(here):
            is_link = entry.is_symlink()
            if is_link or entry.inode() in files:
                yield Path(entry.path)
            with suppress(OSError):
                if is_deep and entry.is_dir():
                    waiting.append(entry.path)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    # What cannot be listed is told when it is read.
    with suppress(OSError), os.scandir(folder) as entries:
        return list(entries)
    return []


def _file(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _is_temporary(location: Location, final: Location) -> bool:
    """Whether a place is one that another one has while it is written, or lies in such a place."""
    if isinstance(location, RemotePath) or isinstance(final, RemotePath):
        return False
    name = relative_name(location, final.parent)
    return name is not None and is_temporary_of(name.split("/")[0], local(final))
