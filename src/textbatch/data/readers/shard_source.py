"""Reads a shard: the row groups of its pieces, one after the other."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.parquet import ParquetSource
from textbatch.data.readers.parquet_faults import UnreadableColumnError
from textbatch.data.readers.parquet_types import ColumnTypes
from textbatch.data.readers.shard_file import Piece, ShardFile
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError

#: Files that stay open for the next shard: a large footer takes longer to read than a shard.
_KEPT_FILES = 2
_kept: OrderedDict[tuple[str, FileState], ParquetSource] = OrderedDict()


class ShardSource:
    """One shard; see `source.Source`."""

    names_doubtful = False

    def __init__(self, file: ShardFile) -> None:
        """Open the first file.

        Args:
            file: The shard.

        Raises:
            DataError: The file is malformed.
        """
        self.file: InputFile = file
        self._pieces = file.pieces
        first = _opened(file.pieces[0])
        self._kind = kind_of(first)
        self.schema: pa.Schema = first.schema
        self.types: Mapping[str, ColumnTypes] = first.types
        self.unreadable: Mapping[str, UnreadableColumnError] = first.unreadable
        self.inexact: Mapping[str, DataError] = first.inexact
        self.notes: list[str] = list(first.notes)
        self.set_aside: deque[BadRow] = deque()
        self.num_rows: int | None = sum(piece.rows for piece in self._pieces)

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`.

        Raises:
            DataError: A piece is malformed, or not what was planned.
        """
        for piece in self._pieces:
            source = _opened(piece)
            groups = range(piece.first, piece.stop)
            if kind_of(source) != self._kind or source.rows_of(groups) != piece.rows:
                raise DataError(
                    f"{piece.location} has other columns or rows than when its shards were planned",
                    "write inputs under another name and move them into place, then run again",
                )
            yield from source.batches(columns, max_rows, groups)
            self.notes += [note for note in source.notes if note not in self.notes]

    def progress(self) -> float | None:
        """None, because the footers have the number of rows."""
        return None


def open_parquet(file: InputFile) -> ParquetSource | ShardSource:
    """Open a Parquet file, or a shard of several.

    Raises:
        DataError: It is malformed.
    """
    return ShardSource(file) if isinstance(file, ShardFile) else ParquetSource(file)


def kind_of(source: ParquetSource) -> str:
    """A hash of the columns: only files of one kind go into one shard.

    Args:
        source: A file.
    """
    told = [
        source.schema.remove_metadata().serialize().to_pybytes(),
        repr(sorted(source.types.items())).encode(errors="surrogateescape"),
        repr([sorted(source.unreadable), sorted(source.inexact)]).encode(errors="surrogateescape"),
    ]
    return hashlib.sha256(b"\0".join(told)).hexdigest()


def _opened(piece: Piece) -> ParquetSource:
    file = new_input(piece.location)
    key = (str(piece.location), piece.found)
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    source = ParquetSource(file)
    _kept[key] = source
    if len(_kept) > _KEPT_FILES:
        _kept.popitem(last=False)
    return source
