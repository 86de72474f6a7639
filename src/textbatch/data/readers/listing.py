"""Which files a job reads: directories, globs and single files as one list, fixed at the start."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import PurePosixPath

from textbatch.data.choices import InputFormat
from textbatch.data.readers.partitions import name_with_partitions, partitions_of
from textbatch.data.readers.source import is_known_name
from textbatch.data.readers.table_formats import check_single_file, live_files
from textbatch.data.storage.file_io import file_io_of
from textbatch.data.storage.files import FileState, Found, InputFile
from textbatch.data.storage.location import Location
from textbatch.data.storage.names import is_file_name
from textbatch.errors import ConflictError, DataError, InputNotFoundError, UsageError

_COMPRESSED = (".gz", ".zst")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """One file of a job.

    Attributes:
        file: Where it stands.
        name: Its path relative to what was asked for, which its part of the output takes over.
        found: As it was when it was listed.
    """

    file: InputFile
    name: str
    found: FileState

    @property
    def path(self) -> Location:
        """Where it stands."""
        return self.file.location

    @property
    def size(self) -> int:
        """In bytes."""
        return self.found.size

    @property
    def version(self) -> str:
        """Changes when the file does."""
        return self.found.version

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
            now = self.file.look()
        except InputNotFoundError:
            now = None
        if not (now and now.is_same(self.found)):
            raise DataError(
                f"{self.file} changed while the job ran",
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
        return partitions_of(self.name)


@dataclass(slots=True, kw_only=True)
class Listing:
    """The files of a job.

    Attributes:
        files: In the order of their names.
        stray: Files left out because their name, or a folder's above, begins with `_` or `.`.
        unusable: Objects left out because their names cannot be those of files.
        tables: What is to be told of folders that are tables.
    """

    files: list[ListedFile] = field(default_factory=list)
    stray: int = 0
    unusable: int = 0
    tables: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """What a report tells of files that were left out for another reason than a hidden name."""
        if not self.unusable:
            return self.tables
        return [
            *self.tables,
            f"{self.unusable:,} objects are left out: parts of their names are empty, . or ..",
        ]


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
    listing = _listed(inputs)
    listing.files.sort(key=lambda file: file.name)
    for file in listing.files:
        _check_name(file, input_format, is_known_name)
    _check_parts(listing)
    return listing


def find_files(
    inputs: Sequence[Location],
    input_format: InputFormat,
    *,
    is_known: Callable[[InputFile], bool] = is_known_name,
) -> Listing:
    """Look up every file of a command that has no part of an output for each.

    Args:
        inputs: Files, directories and globs.
        input_format: With `auto` the name of every file in a folder must tell its format.
        is_known: Tells whether it does.

    Returns:
        The files in the order of `inputs`, and within one of their names.

    Raises:
        InputNotFoundError: A path does not exist, or nothing is found.
        DataError: A file in a folder is neither hidden nor of a known format.
        StorageError: A directory cannot be read.
    """
    listing = _listed(inputs)
    given = set(map(str, inputs))
    for file in listing.files:
        if str(file.path) not in given:
            _check_name(file, input_format, is_known)
    return listing


def _listed(inputs: Sequence[Location]) -> Listing:
    """Every file once, however often it is named."""
    listing = Listing()
    seen: set[str] = set()
    for given in inputs:
        for file in _files(given, listing):
            if (place := str(file.path)) not in seen:
                seen.add(place)
                listing.files.append(file)
    if not listing.files:
        _nothing(inputs, listing)
    return listing


def _nothing(inputs: Sequence[Location], listing: Listing) -> None:
    stray = f" but {listing.stray} whose names begin with _ or ." if listing.stray else ""
    if listing.unusable:
        stray += f" but {listing.unusable} with empty, . or .. in their names"
    names = ", ".join(map(str, inputs[:3])) + (", …" if len(inputs) > 3 else "")
    raise InputNotFoundError(f"no input file in {names}{stray}", "check the path or the pattern")


def _check_name(
    file: ListedFile, input_format: InputFormat, is_known: Callable[[InputFile], bool]
) -> None:
    if input_format == "auto" and not is_known(file.file):
        raise DataError(
            f"{file.file} is of no known format by its name",
            "move it away, begin its name with _ or ., or give --format",
        )


def _check_parts(listing: Listing) -> None:
    parts: dict[str, ListedFile] = {}
    for file in listing.files:
        if not is_file_name(file.name):
            raise UsageError(f"{file.file} has no name that its part could have", "rename it")
        other = parts.setdefault(file.part, file)
        if other is not file:
            raise ConflictError(
                f"{other.file} and {file.file} would both become {file.part}",
                "rename one, or give their folder or a quoted pattern instead of single files",
            )


def _files(given: Location, listing: Listing) -> Iterator[ListedFile]:
    io = file_io_of(given)
    found: Iterable[Found]
    if (is_pattern := io.is_pattern(given)) or io.is_folder(given):
        every = list(io.matching(given) if is_pattern else io.files_below(given))
        found, tables = live_files(given, every, is_pattern=is_pattern)
        listing.tables += tables
    else:
        check_single_file(io.new_input(given))
        found = iter(
            [Found(name=name_with_partitions(PurePosixPath(given)), file=io.new_input(given))]
        )
    for one in found:
        if not one.usable:
            listing.unusable += 1
        elif one.hidden:
            listing.stray += 1
        else:
            state = one.state or one.file.look()
            yield ListedFile(file=one.file, name=one.name, found=state)
