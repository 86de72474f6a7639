"""An input file as a stream of record batches, whatever its format."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Protocol

import pyarrow as pa

from textbatch.data.choices import InputFormat
from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.column_names import (
    listed,
    looks_like_data,
    repeated,
    shown,
)
from textbatch.data.readers.compressed import COMPRESSED_SUFFIXES
from textbatch.data.readers.delimited import DelimitedSource
from textbatch.data.readers.jsonlines import JsonLinesSource
from textbatch.data.readers.parquet import ParquetSource
from textbatch.data.storage.location import Location, RemotePath
from textbatch.data.storage.object_store import existing
from textbatch.errors import (
    ConflictError,
    DataError,
    InputNotFoundError,
    UsageError,
    storage_errors,
)

_FORMATS: dict[str, InputFormat] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


class Source(Protocol):
    """One input file.

    Attributes:
        path: The file.
        schema: Its columns.
        num_rows: Rows, where the format knows them without reading the data.
        set_aside: Rows that could not become part of a batch, where these are wanted; filled
            while `batches` runs.
    """

    path: Location
    schema: pa.Schema
    num_rows: int | None
    set_aside: deque[BadRow]

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns in file order, at most `max_rows` at a time.

        Text columns may come dictionary-encoded; `rebatch` decodes them within bounds.

        Raises:
            DataError: The data are malformed.
            StorageError: The file cannot be read.
        """
        ...

    def progress(self) -> float | None:
        """The share of the file read so far, where the rows are not known; else None."""
        ...


def open_source(
    path: Location,
    input_format: InputFormat = "auto",
    *,
    encoding: str | None = None,
    sets_aside: bool = False,
) -> Source:
    """Open an input file and read its columns' names and types.

    Args:
        path: A Parquet, CSV or JSON Lines file; the text formats also as `.gz` or `.zst`.
        input_format: `auto` goes by the file's name.
        encoding: Of the text formats; None is UTF-8.
        sets_aside: Whether rows of CSV that cannot be read go to `set_aside` instead of ending
            the reading.

    Raises:
        InputNotFoundError: There is no such file.
        UsageError: The name tells no format.
        ConflictError: An encoding is given for Parquet, which has its own.
        DataError: The file is empty or malformed.
    """
    if isinstance(path, RemotePath):
        size = existing(path).size
    else:
        with storage_errors(path, "cannot read"):
            size = path.stat().st_size
        if path.is_dir():
            raise InputNotFoundError(f"{path} is a directory", "name one file")
    if size == 0:
        raise DataError(f"{path} is empty (0 bytes)", "look for an interrupted upload")
    chosen = format_of(path, input_format)
    if chosen == "parquet":
        if encoding:
            raise ConflictError(
                f"--encoding is for CSV and JSON Lines, and {path} is Parquet", "leave it out"
            )
        source: Source = ParquetSource(path)
    elif chosen == "csv":
        delimiter = "\t" if _suffix(path) == ".tsv" else ","
        source = DelimitedSource(path, delimiter, encoding=encoding, sets_aside=sets_aside)
    else:
        source = JsonLinesSource(path, encoding=encoding)
    _check_columns(source)
    return source


def require_column(source: Source, column: str, flag: str) -> None:
    """Check that a source has a column.

    Raises:
        DataError: It has not; the message lists the columns that it has.
    """
    if column not in source.schema.names:
        names = source.schema.names
        raise DataError(
            f"{source.path} has no column {shown(column)}; its columns are {listed(names)}",
            f"name one with {flag}"
            + (", or write the column names first" if any(map(looks_like_data, names)) else ""),
        )


def is_known_name(path: Location) -> bool:
    """Whether a file's name tells its format."""
    return _suffix(path) in _FORMATS


def format_of(path: Location, input_format: InputFormat) -> InputFormat:
    """A file's format: the one given, or with `auto` by its name.

    Raises:
        UsageError: The name tells no format.
    """
    if input_format != "auto":
        return input_format
    suffix = _suffix(path)
    if suffix not in _FORMATS:
        raise UsageError(
            f"cannot tell the format of {path} by its name",
            "give --format parquet, csv or jsonl",
        )
    return _FORMATS[suffix]


def _suffix(path: Location) -> str:
    """The suffix that tells the format, in lower case; `.csv` of `a.csv.gz`."""
    name = PurePosixPath(path.name)
    plain = name.with_suffix("") if name.suffix.lower() in COMPRESSED_SUFFIXES else name
    return plain.suffix.lower()


def _check_columns(source: Source) -> None:
    names = source.schema.names
    if not names:
        raise DataError(f"{source.path} has no columns", "check how it was written")
    if (twice := repeated(names)) is not None:
        raise _repeated(source, twice)


def _repeated(source: Source, name: str) -> DataError:
    names = source.schema.names
    if not name:
        return DataError(
            f"{source.path} has {names.count('')} columns without a name, the first is column "
            f"{names.index('') + 1}",
            "name them; or, where a spreadsheet left them behind, delete them there",
        )
    if looks_like_data(name):
        return DataError(
            f"{source.path} has {names.count(name)} columns of one name, the first is column "
            f"{names.index(name) + 1}; the name looks like data",
            "write the column names first",
        )
    return DataError(f"{source.path} has more than one column {shown(name)}", "rename all but one")
