"""Arrow's readers of one Parquet file, with different settings for dictionaries and INT96."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.readers.arrow_schema import without_arrow_schema
from textbatch.data.readers.nested import leaves, row_bytes, total_bytes
from textbatch.data.readers.pages import largest_page
from textbatch.data.readers.row_groups import WORST_BATCH_BYTES, Leaf, is_measured
from textbatch.data.readers.unknown_types import without_unknown_types

#: Without these two settings Arrow holds the whole file in memory (arrow#39808).
_READ_BUFFER_BYTES = 1 << 20
#: A remote file is read row group by row group, with few requests, if all its row groups are
#: smaller than the first number. Otherwise it is read column by column, with this buffer.
_JOINED_GROUP_BYTES, _REMOTE_BUFFER_BYTES = 128 << 20, 8 << 20
#: Spark, DuckDB, polars and pandas all read microseconds, for every year that they know.
INT96_UNIT = "us"
_KEPT_READERS = 8
_MEASURED_ROWS = 1024
#: Older releases of Arrow have no such option, nor these types. What a column is besides stays in
#: Parquet's own schema: see `parquet_types`.
PLAIN_TYPES: dict[str, bool] = (
    {"arrow_extensions_enabled": False}
    if "arrow_extensions_enabled" in inspect.signature(pq.ParquetFile.__init__).parameters
    else {}
)


class Readers:
    """Opens a file several times. Its footer is parsed only once.

    Attributes:
        metadata: The footer.
        schema: The columns.
        lacks_types: Whether the footer's copy of Arrow's schema has types that this Arrow lacks.
            Then the columns have the types that Parquet says.
        unknown: Names of columns of types that Arrow does not know. They must not be read.
    """

    def __init__(self, file: pa.NativeFile, *, remote: bool) -> None:
        """Parse the footer.

        Args:
            file: The file.
            remote: Whether each read is a request to another machine.
        """
        self._file, self._remote = file, remote
        self.lacks_types = False
        self.unknown: frozenset[str] = frozenset()
        try:
            first = self._first(None)
        except MemoryError:
            raise
        except pa.ArrowNotImplementedError:
            first = self._first(without_arrow_schema(file))
            self.lacks_types = True
        except (pa.ArrowException, OSError):
            if (found := without_unknown_types(file)) is None:
                raise
            first = self._first(found[0])
            self.unknown = found[1]
        self.metadata: pq.FileMetaData = first.metadata
        self.schema: pa.Schema = first.schema_arrow
        sizes = [self.metadata.row_group(i).total_byte_size for i in range(first.num_row_groups)]
        # In a store each read is a request. So neighbouring columns are read together, if a row
        # group fits into memory.
        self._joined = remote and max(sizes, default=0) <= _JOINED_GROUP_BYTES
        self._readers: dict[tuple[frozenset[str], str], pq.ParquetFile] = {}

    def _first(self, footer: pq.FileMetaData | None) -> pq.ParquetFile:
        return pq.ParquetFile(
            self._file, metadata=footer, coerce_int96_timestamp_unit=INT96_UNIT, **PLAIN_TYPES
        )

    def batches(
        self,
        row_groups: Sequence[int],
        columns: Sequence[str] | None,
        batch_rows: int,
        *,
        dictionaries: frozenset[str] = frozenset(),
        int96_unit: str = INT96_UNIT,
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of row groups.

        Args:
            row_groups: Numbers of the row groups.
            columns: Names of columns or paths of leaves; None for all.
            batch_rows: Number of rows to read at a time.
            dictionaries: Paths of the leaves to read as dictionaries.
            int96_unit: Unit of the timestamps that INT96 becomes.
        """
        reader = self._reader(dictionaries, int96_unit)
        stream: Iterator[pa.RecordBatch] = reader.iter_batches(
            batch_rows, row_groups=list(row_groups), columns=columns, use_threads=False
        )
        return stream

    def longest(self, row_group: int, leaf: Leaf) -> int:
        """Find the largest size of a text leaf, in bytes; see `Longest`.

        Args:
            row_group: Number of the row group.
            leaf: The leaf.

        Returns:
            The size of its longest value in the dictionary or, without one, of its longest row.
        """
        if is_measured(self.metadata.row_group(row_group).column(leaf.index), leaf):
            batches = self.batches([row_group], [leaf.path], self._measured_rows(row_group, leaf))
            sizes = (total_bytes(batch.columns, len(batch)) for batch in batches)
            return max((int(size.max(initial=0)) for size in sizes), default=0)
        # With the first row comes the whole dictionary.
        paths = frozenset({leaf.path})
        first = next(self.batches([row_group], [leaf.path], 1, dictionaries=paths), None)
        return max(
            (
                int(row_bytes(part.dictionary).max(initial=0))
                for column in (first.columns if first else ())
                for part in leaves(column)
                if pa.types.is_dictionary(part.type)
            ),
            default=0,
        )

    def _measured_rows(self, row_group: int, leaf: Leaf) -> int:
        """Number of rows to measure at a time. A text is not longer than its page."""
        group = self.metadata.row_group(row_group)
        chunk = group.column(leaf.index)
        largest = chunk.total_uncompressed_size if self._remote else largest_page(self._file, chunk)
        values = max(1.0, chunk.num_values / group.num_rows)
        return max(1, min(_MEASURED_ROWS, int(WORST_BATCH_BYTES / (values * max(1, largest)))))

    def _reader(self, dictionaries: frozenset[str], int96_unit: str) -> pq.ParquetFile:
        key = (dictionaries, int96_unit)
        if key not in self._readers:
            if len(self._readers) >= _KEPT_READERS:
                self._readers.clear()
            whole = _REMOTE_BUFFER_BYTES if self._remote else _READ_BUFFER_BYTES
            self._readers[key] = pq.ParquetFile(
                self._file,
                metadata=self.metadata,
                pre_buffer=self._joined,
                buffer_size=0 if self._joined else whole,
                page_checksum_verification=True,
                read_dictionary=sorted(dictionaries),
                coerce_int96_timestamp_unit=int96_unit,
                **PLAIN_TYPES,
            )
        return self._readers[key]
