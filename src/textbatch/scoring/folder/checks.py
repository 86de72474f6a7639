"""What a job over several files finds out before the first of them is scored."""

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
    """What the files' columns are like.

    Attributes:
        rows: In all files; None where a file does not tell.
        odd: Files whose columns, or their types, are not those that most files have.
    """

    rows: int | None
    odd: int


def check_apart(config: ScoreConfig, listing: Listing) -> None:
    """Check that no output is written where inputs are read, links resolved.

    Raises:
        ConflictError: One would be.
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
    """Check every file's columns, by footers and header lines, before anything is computed.

    Args:
        config: What is asked for.
        files: Those to score.
        text_column: Must be text in each of them.
        read_all: Also open JSON Lines, whose columns only reading the whole file tells, and files
            in a store.

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
