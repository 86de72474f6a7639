"""Which files a job reads: directories, globs and single files as one list, fixed at the start."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeVar
from urllib.parse import unquote

from textbatch.data.choices import InputFormat
from textbatch.data.readers.source import is_known_name
from textbatch.data.storage.location import Location, RemotePath
from textbatch.data.storage.object_store import existing, is_folder, listed
from textbatch.errors import ConflictError, DataError, InputNotFoundError, storage_errors

#: What Hive writes for a null partition value.
_NULL = "__HIVE_DEFAULT_PARTITION__"
_PARTITION = re.compile(r"([^=/]+)=([^/]*)")
_MAGIC = re.compile(r"[*?\[]")
_P = TypeVar("_P", bound=PurePath)
_COMPRESSED = (".gz", ".zst")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """One file of a job.

    Attributes:
        path: Where it stands.
        name: Its path relative to what was asked for, which its part of the output takes over.
        size: In bytes.
        version: Changes when the file does: time of the last change in nanoseconds, or an etag.
    """

    path: Location
    name: str
    size: int
    version: str

    @property
    def state(self) -> str:
        """What tells it from another file, and from itself at another time."""
        name = os.fsencode(self.name)
        return sha256(b"%s\0%d\0%s" % (name, self.size, self.version.encode())).hexdigest()[:32]

    def check_unchanged(self) -> None:
        """Check that it is as it was when it was listed.

        Raises:
            DataError: It was changed, replaced or removed meanwhile.
        """
        try:
            found = _looked_at(self.path, self.name)
        except InputNotFoundError:
            found = None
        if found != self:
            raise DataError(
                f"{self.path} changed while the job ran",
                "write inputs under another name and move them into place, then run again",
            )

    @property
    def part(self) -> str:
        """The name of its part of the output."""
        plain = PurePosixPath(self.name)
        if plain.suffix.lower() in _COMPRESSED:
            plain = plain.with_suffix("")
        return str(plain.with_suffix(".parquet"))

    @property
    def partitions(self) -> tuple[tuple[str, str | None], ...]:
        """The `key=value` folders above it, in order, decoded; None for Hive's null."""
        found = []
        for folder in PurePosixPath(self.name).parts[:-1]:
            if match := _PARTITION.fullmatch(folder):
                value = None if match[2] == _NULL else unquote(match[2])
                found.append((unquote(match[1]), value))
        return tuple(found)


@dataclass(slots=True, kw_only=True)
class Listing:
    """The files of a job.

    Attributes:
        files: In the order of their names.
        stray: Files left out because their name, or a folder's above, begins with `_` or `.`.
    """

    files: list[InputFile] = field(default_factory=list)
    stray: int = 0


def is_pattern(path: Location) -> bool:
    """Whether a path is a glob rather than a file's name."""
    magic = bool(_MAGIC.search(os.fspath(path)))
    return magic and (isinstance(path, RemotePath) or not os.path.lexists(path))


def list_inputs(inputs: Sequence[Location], input_format: InputFormat) -> Listing:
    """Look up every input file.

    Args:
        inputs: Files, directories and globs.
        input_format: With `auto` every name must tell its format.

    Raises:
        InputNotFoundError: A path does not exist, or nothing is found.
        DataError: A file is neither stray nor of a known format.
        ConflictError: Two files would have the same part of the output.
        StorageError: A directory cannot be read.
    """
    listing = Listing()
    seen: set[str] = set()
    for given in inputs:
        for file in _files(given, listing):
            if (place := os.fspath(file.path)) not in seen:
                seen.add(place)
                listing.files.append(file)
    if not listing.files:
        _nothing(inputs, listing)
    listing.files.sort(key=lambda file: file.name)
    _check(listing, input_format)
    return listing


def _nothing(inputs: Sequence[Location], listing: Listing) -> None:
    stray = f" but {listing.stray} whose names begin with _ or ." if listing.stray else ""
    names = ", ".join(map(os.fspath, inputs[:3])) + (", …" if len(inputs) > 3 else "")
    raise InputNotFoundError(f"no input file in {names}{stray}", "check the path or the pattern")


def _check(listing: Listing, input_format: InputFormat) -> None:
    parts: dict[str, InputFile] = {}
    for file in listing.files:
        if input_format == "auto" and not is_known_name(file.path):
            raise DataError(
                f"{file.path} is of no known format by its name",
                "move it away, begin its name with _ or ., or give --format",
            )
        other = parts.setdefault(file.part, file)
        if other is not file:
            raise ConflictError(
                f"{other.path} and {file.path} would both become {file.part}",
                "rename one, or give their folder or a quoted pattern instead of single files",
            )


def _looked_at(path: Location, name: str) -> InputFile:
    if isinstance(path, RemotePath):
        info = existing(path)
        return InputFile(path=path, name=name, size=info.size, version=info.version)
    with storage_errors(path, "cannot read"):
        found = path.stat()
    return InputFile(path=path, name=name, size=found.st_size, version=str(found.st_mtime_ns))


def _files(given: Location, listing: Listing) -> Iterator[InputFile]:
    if isinstance(given, RemotePath):
        yield from _remote(given, listing)
    else:
        for path, name in _found(given, listing):
            yield _looked_at(path, name)


def _remote(given: RemotePath, listing: Listing) -> Iterator[InputFile]:
    """Objects with their names relative to what was given; a few requests list them all."""
    root = given
    wanted = re.compile("")
    if is_pattern(given):
        root = RemotePath(given.scheme, str(_root(PurePosixPath(given.key))))
        wanted = _expression(given.key.removeprefix(f"{root.key}/"))
    elif not is_folder(given):
        yield _looked_at(given, _name_of(PurePosixPath(given.key)))
        return
    for info in listed(root):
        name = info.path.key.removeprefix(f"{root.key}/")
        if not wanted.match(name):
            continue
        if any(map(_is_stray, name.split("/"))):
            listing.stray += 1
        else:
            yield InputFile(path=info.path, name=name, size=info.size, version=info.version)


def _expression(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression for a name, or for a folder above it."""
    parts = []
    for part in pattern.split("/"):
        plain = fnmatch.translate(part).removeprefix("(?s:").removesuffix(")\\Z")
        parts.append("(?:[^/]+/)*" if part == "**" else f"{plain.replace('.*', '[^/]*')}/")
    return re.compile("".join(parts).removesuffix("/") + r"(?:/|\Z)")


def _found(given: Path, listing: Listing) -> Iterator[tuple[Path, str]]:
    """Files with their names relative to what was given."""
    if is_pattern(given):
        root = _root(given)
        for match in sorted(glob.glob(os.fspath(given), recursive=True)):  # noqa: PTH207
            relative = os.path.relpath(match, root)
            if any(map(_is_stray, Path(relative).parts)):
                listing.stray += not os.path.isdir(match)  # noqa: PTH112
            elif os.path.isdir(match):  # noqa: PTH112
                yield from _walk(Path(match), f"{relative}/", listing, ())
            else:
                yield Path(match), relative
    elif given.is_dir():
        yield from _walk(given, "", listing, ())
    else:
        yield given, _name_of(PurePosixPath(given))


def _root(pattern: _P) -> _P:
    """The folder above a glob's first magic part."""
    parts = pattern.parts
    first = next(index for index, part in enumerate(parts) if _MAGIC.search(part))
    return type(pattern)(*parts[:first])


def _name_of(path: PurePath) -> str:
    """A single file's name, with the `key=value` folders above it: shells expand globs to such."""
    name = path.name
    for folder in path.parents:
        if not _PARTITION.fullmatch(folder.name):
            break
        name = f"{folder.name}/{name}"
    return name


def _walk(
    folder: Path, prefix: str, listing: Listing, above: tuple[tuple[int, int], ...]
) -> Iterator[tuple[Path, str]]:
    with storage_errors(folder, "cannot list"):
        found = folder.stat()
        here = (found.st_dev, found.st_ino)
        if here in above:
            raise DataError(f"{folder} is a link to a folder above it", "remove the link")
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    for entry in entries:
        if _is_stray(entry.name):
            listing.stray += 1
        elif entry.is_dir():
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", listing, (*above, here))
        else:
            yield Path(entry.path), prefix + entry.name


def _is_stray(name: str) -> bool:
    return name.startswith(("_", "."))
