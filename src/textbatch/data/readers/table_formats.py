"""Folders that are tables of Delta Lake, Iceberg or Hudi.

Such a folder holds live files, and beside them files with deleted and older rows. A log tells
which files are live. Reading all files of the folder would bring deleted rows back. So every input
is checked: a folder, the folders around it and inside it, a pattern, a single file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from textbatch.data.readers.partitions import is_partition
from textbatch.data.storage.file_io import file_io_of
from textbatch.data.storage.files import Found, InputFile
from textbatch.data.storage.location import (
    Location,
    folder_of_pattern,
    parent_of,
    relative_name,
    resolved,
)
from textbatch.errors import AccessError, DataError, InputNotFoundError

if TYPE_CHECKING:
    from textbatch.data.readers.delta_table import DeltaTableFiles

_DELTA_LOG, _HUDI = "_delta_log", ".hoodie"
_METADATA = re.compile(r"(?:v\d+|\d{5,}-.+?)(?:\.gz)?\.metadata\.json(?:\.gz)?")
#: How many names of a folder `metadata` are looked at.
_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class _Table:
    """A folder that is a table.

    Attributes:
        kind: `Delta`, `Iceberg` or `Hudi`.
        root: The folder.
    """

    kind: str
    root: Location


def live_files(
    given: Location, found: list[Found], *, is_pattern: bool
) -> tuple[list[Found], list[str]]:
    """Leave out the files that are no longer part of a table.

    Args:
        given: A folder, or a pattern.
        found: Its files.
        is_pattern: Whether `given` is a pattern.

    Returns:
        The files to read, and notes about the tables.

    Raises:
        DataError: There is a table, and its log cannot be read.
    """
    base = resolved(folder_of_pattern(given) if is_pattern else given)
    tables = list(_tables(base, found, listed=not is_pattern))
    notes = []
    for table in tables:
        files = _delta_files(table)
        before = len([one for one in found if not one.hidden])
        found = list(_live(base, found, table, files, whole=not is_pattern))
        left = before - len([one for one in found if not one.hidden])
        notes.append(
            f"{table.root} is a Delta table: its version {files.version} is read"
            + (f", {left:,} files that are not part of it are left out" if left > 0 else "")
        )
    return found, notes


def check_single_file(file: InputFile) -> None:
    """Check that a file that was given alone is not an old file of a table.

    Raises:
        DataError: It is one, or the table's log cannot be read.
    """
    if file.suffix.lower() not in (".parquet", ".pq"):
        return
    place = resolved(file.location)
    table = _above(parent_of(place))
    if table is None:
        return
    files = _delta_files(table, f"{file} is part of ")
    if relative_name(place, table.root) not in files.paths:
        raise DataError(
            f"{file} is no longer part of the Delta table {table.root}",
            "name the table's folder, or copy the file elsewhere if its old rows are wanted",
        )


def _delta_files(table: _Table, prefix: str = "") -> DeltaTableFiles:
    if table.kind != "Delta":
        raise DataError(
            f"{prefix}{table.root}{',' if prefix else ' is'} a table of {table.kind}, which keeps "
            "deleted and old rows in its folder too",
            f"write its rows to plain Parquet with a tool that reads {table.kind}, and score that",
        )
    from textbatch.data.readers.delta_table import DeltaTableFiles

    return DeltaTableFiles.read(table.root)


def _live(
    base: Location, found: Iterable[Found], table: _Table, files: DeltaTableFiles, *, whole: bool
) -> Iterator[Found]:
    """Yield the files outside a table, and its live files."""
    seen = set()
    for one in found:
        path = relative_name(_below(base, one.name), table.root)
        if path is None:
            yield one
        elif path in files.paths:
            seen.add(path)
            yield Found(name=one.name, file=one.file, state=one.state, usable=one.usable)
    if not whole:
        return
    # Folders whose names begin with _ are not listed, but may be partitions.
    io = file_io_of(base)
    for path in sorted(files.paths - seen):
        place = _below(table.root, path)
        name = relative_name(place, base)
        if name is None:
            continue
        try:
            state = io.new_input(place).look()
        except InputNotFoundError as error:
            raise DataError(
                f"the Delta table {table.root} has lost a file that is part of it",
                "restore the table, or vacuum it less early",
            ) from error
        yield Found(name=name, file=io.new_input(place), state=state)


def _tables(base: Location, found: Iterable[Found], *, listed: bool) -> Iterator[_Table]:
    """Yield the tables of a listing: the one around it, or else those inside it."""
    costly = file_io_of(base).new_input(base).costs_requests
    # The listing of a store shows already whether the folder itself is a table.
    if table := _above(base, skip=listed and costly):
        yield table
        return
    if not listed and costly:
        found = file_io_of(base).files_below(base)
        listed = True
    roots: dict[str, str] = {}
    looked: set[str] = set()
    for one in found:
        if listed:
            if mark := _marked(one.name):
                roots.setdefault(*mark)
            continue
        for folder in map(str, PurePosixPath(one.name).parents):
            if folder not in looked:
                looked.add(folder)
                if table := _table_at(_below(base, folder)):
                    roots.setdefault(folder, table.kind)
    for name, kind in roots.items():
        yield _Table(kind, _below(base, name))


def _marked(name: str) -> tuple[str, str] | None:
    """Return the folder that is a table, if a file's name shows that, and the table's kind."""
    parts = PurePosixPath(name).parts
    for mark, kind in ((_DELTA_LOG, "Delta"), (_HUDI, "Hudi")):
        if mark in parts:
            return "/".join(parts[: parts.index(mark)]), kind
    if len(parts) > 1 and parts[-2] == "metadata" and _METADATA.fullmatch(parts[-1]):
        return "/".join(parts[:-2]), "Iceberg"
    return None


def _above(folder: Location, *, skip: bool = False) -> _Table | None:
    """Return the table that a folder is, or is inside of.

    In a store each look costs a request. So the search ends one folder above the partitions, which
    is where tables have their files.

    Args:
        folder: The folder, resolved.
        skip: Whether to begin with the folder above it.
    """
    remote = file_io_of(folder).new_input(folder).costs_requests
    steps = 0
    while True:
        if not skip and (table := _table_at(folder)):
            return table
        skip = False
        above = parent_of(folder)
        steps += not is_partition(folder.name)
        is_bucket = parent_of(above) == above
        if above == folder or (remote and (steps > 1 or (steps and is_bucket))):
            return None
        folder = above


def _table_at(folder: Location) -> _Table | None:
    io = file_io_of(folder)
    try:
        if io.is_folder(folder / _DELTA_LOG):
            return _Table("Delta", folder)
        if io.is_folder(folder / _HUDI):
            return _Table("Hudi", folder)
        metadata = folder / "metadata"
        if io.is_folder(metadata):
            names = (one.name for one in islice(io.files_below(metadata), _NAMES))
            if any(map(_METADATA.fullmatch, names)):
                return _Table("Iceberg", folder)
    except AccessError:
        return None  # who may read one file only need not see what is around it
    return None


def _below(folder: Location, name: str) -> Location:
    return folder / name if name not in ("", ".") else folder
