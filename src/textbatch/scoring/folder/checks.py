"""What a job over several files checks before the first file is scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import pyarrow as pa

from textbatch.data.output.columns import OutputColumns
from textbatch.data.readers.column_names import shown, shown_type
from textbatch.data.readers.listing import ListedFile, Listing
from textbatch.data.readers.source import Source, format_of, require_column
from textbatch.data.readers.text_column import check_text_type
from textbatch.data.storage.file_io import is_pattern
from textbatch.data.storage.location import is_within, resolved
from textbatch.errors import ConflictError, DataError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.job import open_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the check of the columns found.

    Attributes:
        rows: Rows of all files; None if they are not known for every file.
        odd: Files with other columns or types than most files.
    """

    rows: int | None
    odd: int


def check_apart(config: ScoreConfig, listing: Listing) -> None:
    """Check that the output is not inside an input, nor an input inside the output.

    Links are followed.

    Args:
        config: Names the inputs and the output.
        listing: The input files.

    Raises:
        ConflictError: One is inside the other.
    """
    output = resolved(config.output)
    for given in config.inputs:
        if not is_pattern(given) and is_within(output, resolved(given)):
            raise ConflictError(
                f"the output {config.output} is inside the input {given}", "write beside it"
            )
    for file in listing.files:
        if is_within(resolved(file.path), output):
            raise ConflictError(
                f"the input {file.path} is inside the output {config.output}", "write beside it"
            )


def check_columns(
    config: ScoreConfig, files: Sequence[ListedFile], text_column: str, *, read_all: bool
) -> Columns:
    """Check the columns of every file, from footers and header lines.

    Args:
        config: The job's options.
        files: The files to score.
        text_column: The column that must hold text in each file.
        read_all: Check also JSON Lines files, which must be read to the end for it, and files in
            an object store, which cost requests.

    Returns:
        How many rows there are, and how many files differ from the others.

    Raises:
        DataError: A file is malformed, lacks a column, or has another type in it.
        ConflictError: A folder or a column has the name of an added column.
    """
    added = OutputColumns(
        labels=(), prefix=config.prefix, probabilities=config.probabilities, top_k=config.top_k
    )
    for file in files:
        added.check_partitions(file.partitions)
    first: Source | None = None
    rows: int | None = 0
    kinds: Counter[str] = Counter()
    for file in files:
        costly = file.file.costs_requests
        costly = costly or format_of(file.file, config.input_format) == "jsonl"
        if costly and not read_all:
            rows = None
            continue
        source = open_file(config, file.file, file.partitions)
        first = first or source
        added.check_names(source.schema.names if config.columns is None else config.columns)
        _check_text(source, first, text_column)
        for name in config.columns or ():
            require_column(source, name, "--columns")
        kinds[_kind(source.schema)] += 1
        rows = None if rows is None or source.num_rows is None else rows + source.num_rows
    return Columns(rows=rows, odd=kinds.total() - max(kinds.values(), default=0))


def _check_text(source: Source, first: Source, text_column: str) -> None:
    require_column(source, text_column, "--text-column")
    kind = source.schema.field(text_column).type
    try:
        check_text_type(kind, f"{source.file} column {shown(text_column)}")
    except DataError as error:
        if source is first:
            raise
        other = first.schema.field(text_column).type
        raise DataError(
            f"{source.file} holds {shown_type(kind)} in column {shown(text_column)} "
            f"where {first.file} has {shown_type(other)}",
            "give the column one type in all files",
        ) from error


def _kind(schema: pa.Schema) -> str:
    columns = sorted(f"{field.name} {field.type}" for field in schema)
    return sha256("\n".join(columns).encode(errors="surrogateescape")).hexdigest()
