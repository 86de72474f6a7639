"""An input file as a stream of record batches, whatever its format."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Protocol, assert_never, get_args

import pyarrow as pa

from textbatch.data.choices import FileFormat, InputFormat
from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.column_names import (
    listed,
    looks_like_data,
    one_is_data,
    repeated,
    shown,
)
from textbatch.data.readers.compressed import COMPRESSED_SUFFIXES
from textbatch.data.readers.foreign import unknown_format
from textbatch.data.readers.json_types import JsonTypes
from textbatch.data.readers.parquet_faults import UnreadableColumnError
from textbatch.data.readers.parquet_types import ColumnTypes
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location
from textbatch.errors import ConflictError, DataError, UsageError

FORMATS: dict[str, FileFormat] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
TITLES: dict[FileFormat, str] = {"parquet": "Parquet", "csv": "CSV", "jsonl": "JSON Lines"}


class Source(Protocol):
    """One input file.

    Attributes:
        file: The file.
        schema: Its columns.
        names_doubtful: Whether the names of its columns may be the first row of data.
        num_rows: Number of rows, if the format knows it without reading the data.
        set_aside: Rows that cannot be part of a batch, if they are wanted. `batches` fills it.
        types: Parquet's own types of columns, if Arrow does not know all of them.
        unreadable: Columns that cannot be read, each with its error.
        inexact: Columns whose types or values are not kept whole, each with the error of a strict
            reading.
        notes: What is lost of the columns, as far as it is known. `batches` adds to it.
    """

    file: InputFile
    schema: pa.Schema
    names_doubtful: bool
    num_rows: int | None
    set_aside: deque[BadRow]
    notes: list[str]
    types: Mapping[str, ColumnTypes]
    unreadable: Mapping[str, UnreadableColumnError]
    inexact: Mapping[str, DataError]

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns, in the order of the file.

        Text columns may be dictionary-encoded. `rebatch` decodes them in limited memory.

        Args:
            columns: Names of the columns, each once.
            max_rows: Limit on the rows of a batch.

        Raises:
            DataError: The data are malformed.
            StorageError: The file cannot be read.
        """
        ...

    def progress(self) -> float | None:
        """The share of the file that is read so far; None if the number of rows is known."""
        ...


def open_source(
    path: Location,
    input_format: InputFormat = "auto",
    *,
    encoding: str | None = None,
    sets_aside: bool = False,
) -> Source:
    """Open the file at a place; see `open_input`.

    Args:
        path: A path or a URI.
        input_format: See `ReadOptions`.
        encoding: See `ReadOptions`.
        sets_aside: See `open_input`.
    """
    options = ReadOptions(input_format=input_format, encoding=encoding)
    return open_input(new_input(path), options, sets_aside=sets_aside)


def open_input(
    file: InputFile,
    options: ReadOptions,
    *,
    sets_aside: bool = False,
    read_as: JsonTypes | None = None,
) -> Source:
    """Open an input file, and read the names and types of its columns.

    Args:
        file: A Parquet, CSV or JSON Lines file. CSV and JSON Lines may be `.gz` or `.zst`.
        options: How to read it.
        sets_aside: Whether rows of CSV that cannot be read go to `set_aside`. Otherwise such a row
            is an error.
        read_as: What is known of JSON Lines, if the file is one of many.

    Raises:
        InputNotFoundError: There is no such file.
        UsageError: The name of the file does not say its format.
        ConflictError: An option does not fit the format.
        DataError: The file is empty or malformed.
    """
    if file.look().size == 0:
        if not file.exists():
            raise DataError(
                f"{file} is a pipe or a device, not a file, and is read more than once",
                "write its content to a file first, or give it as standard input, named -",
            )
        raise DataError(f"{file} is empty (0 bytes)", "look for an interrupted upload")
    chosen = format_of(file, options.input_format)
    _check_options(file, chosen, options)
    # Only the reader that is needed is imported.
    source: Source
    if chosen == "parquet":
        from textbatch.data.readers.shard_source import open_parquet

        source = open_parquet(file)
    elif chosen == "csv":
        from textbatch.data.readers.delimited import DelimitedSource
        from textbatch.data.readers.delimited_rows import Dialect

        dialect = Dialect(
            delimiter=options.delimiter or ("\t" if _suffix(file) == ".tsv" else ","),
            guessed=options.delimiter is None,
            quoting=options.quoting,
            encoding=options.encoding,
        )
        source = DelimitedSource(file, dialect, sets_aside=sets_aside)
    elif chosen == "jsonl":
        from textbatch.data.readers.jsonlines import JsonLinesSource

        source = JsonLinesSource(file, encoding=options.encoding, read_as=read_as)
    else:
        assert_never(chosen)
    _check_columns(source)
    return source


def suited_to(file: InputFile, options: ReadOptions) -> ReadOptions:
    """Select the options that fit a file that comes in addition to the inputs.

    Args:
        file: The file. Its name says its format.
        options: Options of the inputs.
    """
    if not is_known_name(file):
        return options
    kind = format_of(file, "auto")
    return replace(
        options,
        input_format="auto",
        encoding=None if kind == "parquet" else options.encoding,
        delimiter=options.delimiter if kind == "csv" else None,
        quoting=options.quoting if kind == "csv" else "auto",
    )


def _check_options(file: InputFile, chosen: FileFormat, options: ReadOptions) -> None:
    """Refuse options that mean nothing for a file: the user thinks that it is something else."""
    name = TITLES[chosen]
    if options.encoding and chosen == "parquet":
        raise ConflictError(
            f"--encoding is for CSV and JSON Lines, and {file} is {name}", "leave it out"
        )
    if chosen != "csv":
        given = {"--delimiter": options.delimiter, "--quoting": options.quoting != "auto"}
        for flag, value in given.items():
            if value:
                raise ConflictError(f"{flag} is for CSV, and {file} is {name}", "leave it out")


def require_column(source: Source, column: str, flag: str) -> None:
    """Check that a source has a column.

    Args:
        source: The source.
        column: Name of the column.
        flag: The flag that names it, for the message.

    Raises:
        DataError: It has no such column. The message lists its columns.
    """
    if column not in source.schema.names:
        names = source.schema.names
        raise DataError(
            f"{source.file} has no column {shown(column)}; its columns are "
            f"{listed(names, doubtful=source.names_doubtful)}",
            f"name one with {flag}"
            + (
                ", or write the column names first"
                if source.names_doubtful or any(map(looks_like_data, names))
                else ""
            ),
        )


def is_known_name(file: InputFile) -> bool:
    """Whether the name of a file says its format."""
    return format_by_name(file.name) is not None


def format_by_name(name: str) -> FileFormat | None:
    """The format that the name of a file says; None if it says none.

    Args:
        name: The last part of its name.
    """
    return FORMATS.get(_suffix_of(name))


def format_of(file: InputFile, input_format: InputFormat) -> FileFormat:
    """Find the format of a file.

    Args:
        file: The file.
        input_format: The format; `auto` takes it from the name of the file.

    Raises:
        UsageError: The name does not say a format.
        DataError: It says a format that cannot be read.
    """
    if input_format != "auto":
        return input_format
    suffix = _suffix(file)
    if suffix not in FORMATS:
        *others, last = get_args(FileFormat)
        raise unknown_format(file, suffix) or UsageError(
            f"cannot tell the format of {file} by its name",
            f"give --format {', '.join(others)} or {last}",
        )
    return FORMATS[suffix]


def _suffix(file: InputFile) -> str:
    """The suffix that says the format, in lower case: `.csv` for `a.csv.gz`."""
    return _suffix_of(file.name)


def _suffix_of(file_name: str) -> str:
    name = PurePosixPath(file_name)
    plain = name.with_suffix("") if name.suffix.lower() in COMPRESSED_SUFFIXES else name
    return plain.suffix.lower()


def _check_columns(source: Source) -> None:
    names = source.schema.names
    if not names:
        raise DataError(f"{source.file} has no columns", "check how it was written")
    if (twice := repeated(names)) is not None:
        raise _repeated(source, twice)


def _repeated(source: Source, name: str) -> DataError:
    names = source.schema.names
    if not name:
        return DataError(
            f"{source.file} has {names.count('')} columns without a name, the first is column "
            f"{names.index('') + 1}",
            "name them; or, where a spreadsheet left them behind, delete them there",
        )
    if source.names_doubtful or looks_like_data(name) or one_is_data(names):
        return DataError(
            f"{source.file} has {names.count(name)} columns of one name, the first is column "
            f"{names.index(name) + 1}; the names look like data",
            "write the column names first",
        )
    return DataError(f"{source.file} has more than one column {shown(name)}", "rename all but one")
