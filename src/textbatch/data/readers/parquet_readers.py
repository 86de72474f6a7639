"""Arrow's readers of one Parquet file: which leaves come as dictionaries, what INT96 becomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.readers.nested import leaves, row_bytes, total_bytes
from textbatch.data.readers.pages import largest_page
from textbatch.data.readers.row_groups import WORST_BATCH_BYTES, Leaf, is_measured

#: Without these two settings Arrow holds the whole file (arrow#39808).
_READ_BUFFER_BYTES = 1 << 20
#: A remote file whose row groups are all smaller is read row group by row group, in few requests;
#: a larger one column by column, this much at a time.
_JOINED_GROUP_BYTES, _REMOTE_BUFFER_BYTES = 128 << 20, 8 << 20
#: Microseconds are what Spark, DuckDB, polars and pandas all read, for every year that they know.
INT96_UNIT = "us"
_KEPT_READERS = 8
_MEASURED_ROWS = 1024


class Readers:
    """Opens a file again and again, its footer parsed once."""

    def __init__(self, file: pa.NativeFile, *, remote: bool) -> None:
        """Parse the footer."""
        self._file, self._remote = file, remote
        first = pq.ParquetFile(file, coerce_int96_timestamp_unit=INT96_UNIT)
        self.metadata: pq.FileMetaData = first.metadata
        self.schema: pa.Schema = first.schema_arrow
        sizes = [self.metadata.row_group(i).total_byte_size for i in range(first.num_row_groups)]
        # In a store each read is a request: neighbouring columns are fetched together, as long as a
        # row group fits into memory.
        self._joined = remote and max(sizes, default=0) <= _JOINED_GROUP_BYTES
        self._readers: dict[tuple[frozenset[str], str], pq.ParquetFile] = {}

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
            row_groups: Their numbers.
            columns: Names of columns or paths of leaves; None for all.
            batch_rows: Rows at a time.
            dictionaries: Paths of the leaves to read as dictionaries.
            int96_unit: Of the timestamps that INT96 becomes.
        """
        reader = self._reader(dictionaries, int96_unit)
        stream: Iterator[pa.RecordBatch] = reader.iter_batches(
            batch_rows, row_groups=list(row_groups), columns=columns, use_threads=False
        )
        return stream

    def longest(self, row_group: int, leaf: Leaf) -> int:
        """The most bytes of a text leaf: of a value of its dictionary, or of a row; see `Longest`.

        Args:
            row_group: Its number.
            leaf: The leaf.
        """
        if is_measured(self.metadata.row_group(row_group).column(leaf.index), leaf):
            batches = self.batches([row_group], [leaf.path], self._measured_rows(row_group, leaf))
            sizes = (total_bytes(batch.columns, len(batch)) for batch in batches)
            return max((int(size.max(initial=0)) for size in sizes), default=0)
        # The dictionary comes whole with the first row.
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
        """Rows to measure at a time: a text is no longer than the page that it stands in."""
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
            )
        return self._readers[key]
