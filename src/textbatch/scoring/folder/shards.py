"""Cuts the input of a job into shards, by the footers of its Parquet files.

A shard has whole row groups. Small files are packed into one shard, large ones are split. What is
not Parquet, or cannot be read, is a shard of its own. Names of files and row groups alone decide,
so another process, or another machine, makes the same plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from textbatch import __version__
from textbatch.data.readers.listing import ListedFile, Listing
from textbatch.data.readers.parquet import ParquetSource
from textbatch.data.readers.partitions import is_partition
from textbatch.data.readers.shard_file import Piece, ShardFile, shard_name
from textbatch.data.readers.shard_source import kind_of
from textbatch.data.readers.source import format_of
from textbatch.errors import DataError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.folder.side_by_side import side_by_side

_ID = 16


@dataclass(frozen=True, slots=True)
class Group:
    """A row group, as a footer tells.

    Attributes:
        rows: Its rows.
        start: Where its bytes begin in the file.
        end: Where they end.
    """

    rows: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Footer:
    """What the plan knows of a file.

    Attributes:
        kind: A hash of its columns.
        groups: Its row groups, in order.
    """

    kind: str
    groups: tuple[Group, ...]


#: The footer of a file; None if it is not Parquet, or cannot be read.
ReadFooter = Callable[[ListedFile], Footer | None]


def planned(listing: Listing, config: ScoreConfig, key: str) -> Listing:
    """The same input, as shards.

    Args:
        listing: The files.
        config: Says how many rows a shard has.
        key: Key of the job: model and options that decide.

    Returns:
        One entry for each shard, in order.

    Raises:
        TextbatchError: A file cannot be read; a malformed one is a shard that fails.
    """
    rows = config.shard_rows
    if rows is None:
        return listing

    def read(file: ListedFile) -> Footer | None:
        return footer_of(file, config)

    remote = any(file.file.costs_requests for file in listing.files)
    footers = side_by_side(read, listing.files, remote=remote)
    files = name_shards(zip(listing.files, footers, strict=True), rows=rows, key=key)
    return replace(listing, files=files)


def name_shards(
    files: Iterable[tuple[ListedFile, Footer | None]], *, rows: int, key: str
) -> list[ListedFile]:
    """Cut files into shards, and name their parts.

    Args:
        files: The files, sorted by name, with their footers.
        rows: How many rows a shard should have.
        key: Key of the job.
    """
    return list(_named(list(cut_into_shards(files, rows=rows)), key))


def footer_of(file: ListedFile, config: ScoreConfig) -> Footer | None:
    """Read the footer of a file.

    Args:
        file: The file.
        config: Says its format.

    Returns:
        None if it is not Parquet, or is malformed.

    Raises:
        TextbatchError: It cannot be read.
    """
    if format_of(file.file, config.input_format) != "parquet" or not file.size:
        return None
    try:
        source = ParquetSource(file.file)
    except DataError:
        return None  # the check of the columns tells it
    groups = []
    for group in source.row_groups:
        chunks = [group.column(index) for index in range(group.num_columns)]
        starts = [
            chunk.dictionary_page_offset
            if chunk.has_dictionary_page and chunk.dictionary_page_offset
            else chunk.data_page_offset
            for chunk in chunks
        ]
        ends = [s + c.total_compressed_size for s, c in zip(starts, chunks, strict=True)]
        groups.append(Group(group.num_rows, min(starts, default=0), max(ends, default=0)))
    return Footer(kind_of(source), tuple(groups))


def cut_into_shards(
    files: Iterable[tuple[ListedFile, Footer | None]], *, rows: int
) -> Iterator[ListedFile | tuple[Piece, ...]]:
    """Cut files into shards.

    Args:
        files: The files, sorted by name, with their footers.
        rows: How many rows a shard should have. It has more where one row group has more.

    Yields:
        The pieces of each shard; of what is not Parquet the file.
    """
    pieces: list[Piece] = []
    held, last = 0, None
    for file, footer in files:
        if footer is None:
            if pieces:
                yield tuple(pieces)
                pieces, held, last = [], 0, None
            yield file
            continue
        # What goes together has the same columns and lies in the same partition.
        kind = (footer.kind, _partition_folder(file.name))
        if pieces and kind != last:
            yield tuple(pieces)
            pieces, held = [], 0
        last = kind
        begin = before = 0
        for index, group in enumerate(footer.groups):
            if held and held + group.rows > rows:
                if begin < index:
                    pieces.append(_piece(file, footer, begin, index, before))
                    before += pieces[-1].rows
                yield tuple(pieces)
                pieces, held, begin = [], 0, index
            held += group.rows
        if begin < len(footer.groups) or not footer.groups:
            pieces.append(_piece(file, footer, begin, len(footer.groups), before))
    if pieces:
        yield tuple(pieces)


def _piece(file: ListedFile, footer: Footer, first: int, stop: int, first_row: int) -> Piece:
    groups = footer.groups[first:stop]
    return Piece(
        location=file.path,
        name=file.name,
        found=file.found,
        first=first,
        stop=stop,
        rows=sum(group.rows for group in groups),
        first_row=first_row,
        start=min((group.start for group in groups), default=0),
        end=max((group.end for group in groups), default=0),
        whole=len(groups) == len(footer.groups),
    )


def _named(shards: list[ListedFile | tuple[Piece, ...]], key: str) -> Iterator[ListedFile]:
    for number, shard in enumerate(shards):
        if isinstance(shard, ListedFile):
            yield _with_part(shard, number, len(shards), key)
            continue
        file = ShardFile(shard)
        first, more = shard[0], len(shard) - 1
        name = f"{first.title}{f' and {more:,} more' if more else ''}"
        one = ListedFile(file=file, name=name, found=file.planned)
        yield _with_part(one, number, len(shards), key)


def _with_part(file: ListedFile, number: int, of: int, key: str) -> ListedFile:
    made = hashlib.sha256(f"{__version__}\0{key}\0{file.state}".encode()).hexdigest()[:_ID]
    folder = _partition_folder(file.name)
    part = shard_name(number, of, made)
    return replace(file, part_name=f"{folder}/{part}" if folder else part, part_id=made)


def _partition_folder(name: str) -> str:
    """The `key=value` folders above a file, which its part has too."""
    return "/".join(filter(is_partition, PurePosixPath(name).parts[:-1]))
