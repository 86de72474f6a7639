"""What a job over several files checks before the first file is scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa

from textbatch.data.readers.column_names import shown, shown_type
from textbatch.data.readers.json_types import JsonTypes
from textbatch.data.readers.jsonlines import JsonLinesSource
from textbatch.data.readers.listing import ListedFile
from textbatch.data.readers.source import Source, format_of, open_input, require_column
from textbatch.data.readers.text_column import check_text_type
from textbatch.errors import DataError
from textbatch.report.terminal.pace import BYTES
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.bundles import columns_of
from textbatch.scoring.folder.job import FolderJob
from textbatch.scoring.folder.json_columns import json_types
from textbatch.scoring.job import check_types, kept_columns, partitioned
from textbatch.scoring.limits import check_room


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the check of the columns found.

    Attributes:
        rows: Rows of all files; None if they are not known for every file.
        odd: Files with other columns or types than most files.
        first_odd: The first of them; None without any.
        types: What JSON Lines files are to be read as, by their parts.
    """

    rows: int | None
    odd: int
    first_odd: str | None
    types: dict[str, JsonTypes]


def check_columns(job: FolderJob, progress: Progress, *, read_all: bool) -> Columns:
    """Check every file's columns before anything is computed.

    Parquet and CSV tell them at their beginning or end. A JSON Lines file is read whole. Every
    file that cannot be scored is noted in `job.bad`, not only the first.

    Args:
        job: The job, whose files left to score are checked.
        progress: Called as bytes are read.
        read_all: Also open Parquet and CSV files in a store, where each costs requests.

    Returns:
        How many rows there are, how many files differ from the others, and the types.

    Raises:
        DataError: Files are malformed, lack a column, or have another type in it.
        TooManyBadFilesError: They are to be set aside, and are too many.
        ConflictError: A folder or a column has the name of an added column.
    """
    config = job.config
    added = columns_of([one.name for one in config.models], config)
    for file in job.looked_at:
        added.check_partitions(file.partitions)
    first: Source | None = None
    rows: int | None = 0
    kinds: Counter[str] = Counter()
    firsts: dict[str, str] = {}
    lines: dict[str, JsonLinesSource] = {}
    for file, own in _opened(job, progress, read_all=read_all):
        if own is None:
            rows = None
            continue
        with job.bad.noted(file, kept=job.keeps(file)):
            source = partitioned(config, own, file.partitions)
            added.check_names(source.schema.names if config.columns is None else config.columns)
            _check_text(source, first or source, job)
            if not isinstance(own, JsonLinesSource):
                kept_columns(source, job.text_column, config)
            if config.strict_types:
                _check_types(source, file, job)
        if file.part in job.bad:
            continue
        first = first or source
        rows = None if rows is None or source.num_rows is None else rows + source.num_rows
        if isinstance(own, JsonLinesSource):
            lines[file.part] = own
        else:
            kinds[kind := _kind(source.schema)] += 1
            firsts.setdefault(kind, str(file.file))
    types = json_types(job, lines)
    job.bad.check()
    for part, found in types.items():
        kinds[kind := _kind(found.schema)] += 1
        firsts.setdefault(kind, str(lines[part].file))
    most = max(kinds, key=lambda kind: kinds[kind], default="")
    first_odd = next((name for kind, name in firsts.items() if kind != most), None)
    odd = kinds.total() - kinds[most]
    return Columns(rows=rows, odd=odd, first_odd=first_odd, types=types)


def room_for(job: FolderJob) -> list[str]:
    """Compare the free space with the files to score; in a store one part at a time is on disk.

    Args:
        job: The job.

    Returns:
        Notes: that the disk may be too small.

    Raises:
        StorageError: It is.
    """
    sizes = [file.size for file in job.good]
    if not sizes:
        return []
    needed = max(sizes) if job.folder.is_staged else sum(sizes)
    place = job.folder.lock_place / job.good[0].part
    return check_room(place, needed, job.config.columns)


def _opened(
    job: FolderJob, progress: Progress, *, read_all: bool
) -> Iterator[tuple[ListedFile, Source | None]]:
    """The files, open; None for what would cost requests to open."""
    config, files = job.config, job.looked_at
    is_json = {file.part: format_of(file.file, config.input_format) == "jsonl" for file in files}
    size = sum(file.size for file in files if is_json[file.part])
    with step_of(progress, size, step="types of JSON Lines", unit=BYTES) if size else nullcontext():
        for file in files:
            if file.file.costs_requests and not (read_all or is_json[file.part]):
                yield file, None
                continue
            sets_aside = config.quarantine is not None
            source: Source | None = None
            with job.bad.noted(file, kept=job.keeps(file)):
                source = open_input(file.file, config.reading(), sets_aside=sets_aside)
            if source is not None:
                yield file, source
            if is_json[file.part]:
                progress.advance(file.size)


def _check_types(source: Source, file: ListedFile, job: FolderJob) -> None:
    # Of JSON Lines a column may be missing.
    names = job.config.columns or source.schema.names
    kept = [field for field in source.schema if field.name in names]
    check_types(source, pa.schema(kept), Path(file.part), strict=True)


def _check_text(source: Source, first: Source, job: FolderJob) -> None:
    text_column = job.text_column
    require_column(source, text_column, "--text-column")
    kind = source.schema.field(text_column).type
    try:
        where = f"{source.file} column {shown(text_column)}"
        check_text_type(kind, where, job.config.join_lists)
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
