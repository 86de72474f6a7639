"""Which files a command reads: directories, globs and single files become one list."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import PurePosixPath

from textbatch.data.choices import InputFormat
from textbatch.data.readers.identity import InputMark
from textbatch.data.readers.partitions import name_with_partitions, partitions_of
from textbatch.data.readers.source import is_known_name
from textbatch.data.readers.table_formats import check_single_file, live_files
from textbatch.data.storage.file_io import file_io_of
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.files import Found, InputFile
from textbatch.data.storage.location import Location
from textbatch.data.storage.names import MAX_NAME_BYTES, is_file_name
from textbatch.errors import ConflictError, DataError, InputNotFoundError, UsageError

_COMPRESSED = (".gz", ".zst")
_NAMED_STRAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """One input file of a job.

    Attributes:
        file: The file.
        name: Its path below the folder that was given. Its part of the output gets this path too.
        found: Its state when it was listed.
        part_name: The name of its part of the output; empty takes that of the file.
        part_id: What the footer of that part says in place of a run's id; empty for the job's.
    """

    file: InputFile
    name: str
    found: FileState
    part_name: str = ""
    part_id: str = ""

    @property
    def path(self) -> Location:
        """The file's place."""
        return self.file.location

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.found.size

    @property
    def version(self) -> str:
        """A text that changes when the file changes."""
        return self.found.version

    @property
    def state(self) -> str:
        """A hash of name, size and version: it differs for other files, and after a change."""
        name = os.fsencode(self.name)
        return sha256(b"%s\0%d\0%s" % (name, self.size, self.version.encode())).hexdigest()[:32]

    def fits(self, mark: InputMark | None) -> bool:
        """Whether a part with this mark of its input was made from the same content."""
        return mark is not None and mark.fits(self.file, self.found)

    def check_unchanged(self) -> None:
        """Check that the file has not changed since it was listed.

        Raises:
            DataError: It was changed, replaced or removed.
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
        """The name of the file's part of the output."""
        if self.part_name:
            return self.part_name
        plain = PurePosixPath(self.name)
        if plain.suffix.lower() in _COMPRESSED:
            plain = plain.with_suffix("")
        return str(plain.with_suffix(".parquet"))

    @property
    def partitions(self) -> tuple[tuple[str, str | None], ...]:
        """The `key=value` folders above the file, in order, decoded; None is Hive's null."""
        return partitions_of(self.name)


@dataclass(slots=True, kw_only=True)
class Listing:
    """The input files of a job.

    Attributes:
        files: The files.
        stray: How many files were left out because their name, or the name of a folder above,
            begins with `_` or `.`.
        strays: The names of the first of them.
        unusable: How many objects were left out because a file cannot have such a name.
        tables: Notes about folders that are tables.
    """

    files: list[ListedFile] = field(default_factory=list)
    stray: int = 0
    strays: list[str] = field(default_factory=list)
    unusable: int = 0
    tables: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """Notes for the report: tables, files left out, and objects that no file name fits."""
        notes = list(self.tables)
        if self.stray:
            more = f" and {self.stray - len(self.strays):,} more"
            notes.append(
                f"{self.stray:,} files are left out, their names or folders begin with _ or .: "
                f"{', '.join(self.strays)}{more if self.stray > len(self.strays) else ''}"
            )
        if self.unusable:
            notes.append(
                f"{self.unusable:,} objects are left out: parts of their names are empty, . or .., "
                "or too long for a file"
            )
        return notes


def list_inputs(inputs: Sequence[Location], input_format: InputFormat) -> Listing:
    """List the input files of a command that writes one part of its output for each.

    Args:
        inputs: Files, directories and globs.
        input_format: With `auto` every name must tell its format.

    Returns:
        The files, sorted by name.

    Raises:
        InputNotFoundError: A path does not exist, or no file is found.
        DataError: The name of a file that is not hidden tells no known format.
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
    """List the input files of a command that does not write a part for each.

    Args:
        inputs: Files, directories and globs.
        input_format: With `auto` the name of every file in a folder must tell its format.
        is_known: Returns whether a file's name tells its format.

    Returns:
        The files in the order of `inputs`, those of one input sorted by name.

    Raises:
        InputNotFoundError: A path does not exist, or no file is found.
        DataError: The name of a file in a folder tells no known format, and it is not hidden.
        StorageError: A directory cannot be read.
    """
    listing = _listed(inputs)
    given = set(map(str, inputs))
    for file in listing.files:
        if str(file.path) not in given:
            _check_name(file, input_format, is_known)
    return listing


def _listed(inputs: Sequence[Location]) -> Listing:
    """List every file once, even if several inputs name it."""
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
        stray += f" but {listing.unusable} with empty, . or .. in their names, or too long ones"
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
        if len(os.fsencode(PurePosixPath(file.part).name)) > MAX_NAME_BYTES:
            raise UsageError(f"the name of {file.file} is too long for its part", "rename it")
        other = parts.setdefault(file.part, file)
        if other is not file:
            raise ConflictError(
                f"{other.file} and {file.file} would both become {file.part}",
                "rename one, or give their folder or a quoted pattern instead of single files",
            )
    for file in listing.files:
        for above in PurePosixPath(file.part).parents:
            if taken := parts.get(str(above)):
                raise ConflictError(
                    f"{taken.file} would become {taken.part}, which is the folder of {file.part}",
                    "rename one",
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
            if len(listing.strays) < _NAMED_STRAYS:
                listing.strays.append(str(one.file))
        else:
            state = one.state or one.file.look()
            yield ListedFile(file=one.file, name=one.name, found=state)
