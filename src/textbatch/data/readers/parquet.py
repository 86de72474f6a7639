"""Parquet input, read in a stream with limited memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.chunk_metadata import check_chunks
from textbatch.data.readers.column_names import shown
from textbatch.data.readers.nested import fixed_bytes, leaves
from textbatch.data.readers.parquet_faults import (
    REWRITE,
    UnreadableColumnError,
    footer_fault,
    parquet_faults,
    rows_fault,
)
from textbatch.data.readers.parquet_int96 import check_int96
from textbatch.data.readers.parquet_readers import Readers
from textbatch.data.readers.parquet_types import ColumnTypes, doubtful_types
from textbatch.data.readers.row_groups import Leaf, RowGroups, Run, leaves_of
from textbatch.data.readers.spark_notes import with_spark_notes
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location
from textbatch.errors import DataError, storage_errors

#: Limit on the size of values of a fixed length, in bytes.
_WIDEST = 256 << 10
#: A column of a row group is refused if it unpacks to more than this, and to more than this many
#: times its size.
_BOMB_BYTES, _BOMB_RATIO = 256 << 20, 1000


class ParquetSource:
    """One Parquet file; see `source.Source`. Its text columns may come dictionary-encoded."""

    names_doubtful = False

    def __init__(self, file: InputFile) -> None:
        self.file = file
        self.set_aside: deque[BadRow] = deque()
        self.types: Mapping[str, ColumnTypes] = {}
        self.unreadable: Mapping[str, UnreadableColumnError] = {}
        remote = file.costs_requests
        with storage_errors(file, "cannot read"):
            if not remote:
                _check_magic(file)
            with parquet_faults(lambda error: footer_fault(file, error)):
                opened = file.open_random()
                self._readers = Readers(opened, remote=remote)
                check_chunks(opened, self._readers.metadata)
                self.types = doubtful_types(opened, self._readers.metadata.schema)
        footer = self._readers.metadata
        _check_packing(file, footer)
        self.schema: pa.Schema = self._readers.schema
        self._leaves = leaves_of(footer.schema, self.schema)
        self.schema, self.notes = with_spark_notes(self.schema, self._leaves)
        self.inexact: Mapping[str, DataError] = {}
        if self._readers.lacks_types:
            error = DataError(
                f"{file} holds a copy of Arrow's schema that this version of Arrow does not read, "
                "so types that only this copy tells would be lost",
                "write it without integers of 128 bits",
            )
            self.inexact = dict.fromkeys(self.schema.names, error)
            self.notes.append("types that only Arrow's copy of the schema tells are not known")
        self.unreadable = self._unreadable()
        self.metadata: dict[bytes, bytes] | None = footer.metadata
        self.num_rows: int | None = footer.num_rows

    def batches(
        self, columns: Sequence[str], max_rows: int, groups: range | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`.

        Args:
            columns: Names of the columns.
            max_rows: Limit on the rows of a batch.
            groups: Only these row groups; None for all.
        """
        names = self.schema.names
        leaves, wanted = self._asked(columns)
        plan = RowGroups(self._readers.metadata, leaves, self._readers.longest)
        old_times = [(names[leaf.column], leaf) for leaf in leaves if leaf.int96]
        row = before = 0 if groups is None else self.rows_of(range(groups.start))
        run = Run(row_groups=(), dictionaries=frozenset(), batch_rows=1)

        def told(error: Exception) -> DataError:
            def read(column: str) -> None:
                for _ in self._run(run, [column]):
                    pass

            return rows_fault(self.file, error, row=row, columns=columns, read=read)

        with storage_errors(self.file, "cannot read"), parquet_faults(told):
            for run in plan.runs(max_rows, groups):
                cut = check_int96(self._readers, self.file, old_times, run.row_groups)
                self._note_cut(cut)
                for batch in self._run(run, wanted):
                    row += batch.num_rows
                    yield batch.select(list(columns))
        wanted_rows = self.num_rows if groups is None else self.rows_of(groups)
        if row - before != wanted_rows:
            raise DataError(
                f"{self.file} holds {row - before} rows where its footer says {wanted_rows}",
                REWRITE,
            )

    def rows_of(self, groups: range) -> int:
        """The number of rows of some row groups; of those that there are not, none.

        Args:
            groups: Their numbers.
        """
        footer = self._readers.metadata
        there = range(groups.start, min(groups.stop, footer.num_row_groups))
        return sum(footer.row_group(index).num_rows for index in there)

    def batches_of(
        self, row_group: int, columns: Sequence[str], max_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one row group, where only some of them are wanted.

        Args:
            row_group: Its number.
            columns: See `batches`.
            max_rows: See `batches`.

        Raises:
            DataError: The data are malformed.
            StorageError: The file cannot be read.
        """
        leaves, wanted = self._asked(columns)
        plan = RowGroups(self._readers.metadata, leaves, self._readers.longest)

        def told(error: Exception) -> DataError:
            return rows_fault(self.file, error, row=0, columns=columns, read=lambda _: None)

        with storage_errors(self.file, "cannot read"), parquet_faults(told):
            if self._readers.metadata.row_group(row_group).num_rows:
                for batch in self._run(plan.alone(row_group, max_rows), wanted):
                    yield batch.select(list(columns))

    @property
    def row_groups(self) -> list[pq.RowGroupMetaData]:
        """What the footer says of each row group."""
        footer = self._readers.metadata
        return [footer.row_group(index) for index in range(footer.num_row_groups)]

    def _asked(self, columns: Sequence[str]) -> tuple[list[Leaf], list[str] | None]:
        """The leaves of some columns, and what selects the columns for Arrow."""
        names = self.schema.names
        asked = set(columns)
        leaves = [leaf for leaf in self._leaves if names[leaf.column] in asked]
        for leaf in leaves:
            if error := self.unreadable.get(names[leaf.column]):
                raise error
        # A name with a dot would select nested fields, so all columns of a file are read with None.
        return leaves, None if list(columns) == names else list(columns)

    def _note_cut(self, columns: Iterable[str]) -> None:
        for name in columns:
            note = f"column {shown(name)} of INT96 lost digits beyond the microsecond"
            if note not in self.notes:
                self.notes.append(note)

    def _unreadable(self) -> dict[str, UnreadableColumnError]:
        """The columns that cannot be read, each with its error."""
        found: dict[str, UnreadableColumnError] = {}
        for leaf in self._leaves:
            name = self.schema.names[leaf.column]
            size = 0 if leaf.is_text else fixed_bytes(leaf.kind)
            # Integers of 128 bits are bytes of this length, but for Arrow's copy of the schema.
            if self._readers.lacks_types and pa.types.is_fixed_size_binary(leaf.kind):
                error = UnreadableColumnError(
                    self.file,
                    name,
                    "of a type that this version of Arrow does not read, like integers of 128 bits",
                    "cast it to a decimal or to text where the file is written",
                )
            elif name in self._readers.unknown:
                error = UnreadableColumnError(
                    self.file,
                    name,
                    "of a type that this version of Arrow does not know",
                    "cast it to another type where the file is written",
                )
            elif size > _WIDEST:
                # Arrow needs a gigabyte for them, even if there are only a few.
                error = UnreadableColumnError(
                    self.file,
                    name,
                    f"of {size:,} bytes a value, of which Arrow unpacks 1,024 at a time",
                    "write it with values of any length",
                )
            else:
                continue
            found.setdefault(name, error)
        return found

    def _run(self, run: Run, wanted: list[str] | None) -> Iterator[pa.RecordBatch]:
        for batch in self._readers.batches(
            run.row_groups, wanted, run.batch_rows, dictionaries=run.dictionaries
        ):
            _check_indices(batch)
            yield batch

    def progress(self) -> float | None:
        """None, because the footer has the number of rows."""
        return None


def footer_entries(path: Location) -> dict[str, str]:
    """Read the metadata in the footer of a file; empty if the file is not Parquet.

    Raises:
        StorageError: The file cannot be read.
    """
    try:
        metadata = ParquetSource(new_input(path)).metadata or {}
    except DataError:
        return {}
    return {
        key.decode(errors="replace"): value.decode(errors="replace")
        for key, value in metadata.items()
    }


def _check_packing(file: InputFile, metadata: pq.FileMetaData) -> None:
    """Refuse a decompression bomb, by the sizes in the footer: Arrow unpacks whole pages."""
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        if group.total_byte_size <= _BOMB_BYTES:
            continue
        for number in range(group.num_columns):
            column = group.column(number)
            packed = max(1, column.total_compressed_size)
            unpacked = column.total_uncompressed_size
            if unpacked > _BOMB_BYTES and unpacked / packed > _BOMB_RATIO:
                raise DataError(
                    f"{file} unpacks {unpacked:,} bytes from {packed:,} in row group {index}, "
                    "like a decompression bomb",
                    "write it again with smaller row groups",
                )


def _check_indices(batch: pa.RecordBatch) -> None:
    """Refuse indices outside of their dictionary. Damaged pages have them, and Arrow takes them."""
    for column in batch.columns:
        for leaf in leaves(column):
            if pa.types.is_dictionary(leaf.type) and len(leaf) > leaf.null_count:
                ends = pc.min_max(leaf.indices)
                if not 0 <= ends["min"].as_py() <= ends["max"].as_py() < len(leaf.dictionary):
                    raise pa.ArrowInvalid("dictionary index out of bounds")


def _check_magic(file: InputFile) -> None:
    with file.open() as opened:
        head = opened.read(4)
        opened.seek(max(0, opened.seek(0, 2) - 4))
        tail = opened.read(4)
    if tail == b"PARE" or head == b"PARE":
        raise DataError(f"{file} is encrypted Parquet", "decrypt it first")
    if head != b"PAR1":
        raise DataError(f"{file} is not Parquet", "if it is text, give --format csv or jsonl")
    if tail != b"PAR1":
        raise DataError(f"{file} is truncated or still being written", "wait for it, or rewrite it")
