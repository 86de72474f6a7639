"""A file of a Hive-partitioned folder, with the folders' values as columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from textbatch.data.readers.column_names import shown
from textbatch.data.readers.source import Source
from textbatch.errors import DataError


class PartitionedSource:
    """Another source with one value more in every row for each `key=value` folder above it."""

    def __init__(self, source: Source, partitions: Sequence[tuple[str, str | None]]) -> None:
        self._source, self._values = source, dict(partitions)
        self.file, self.num_rows, self.set_aside = source.file, source.num_rows, source.set_aside
        self.notes = source.notes
        fields = [pa.field(name, pa.string()) for name in self._values]
        self.schema: pa.Schema = pa.schema([*source.schema, *fields], source.schema.metadata)

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`."""
        own = [name for name in columns if name not in self._values]
        for batch in self._source.batches(own, max_rows):
            values = {name: batch.column(name) for name in own}
            for name in self._values.keys() & set(columns):
                values[name] = pa.repeat(pa.scalar(self._values[name], pa.string()), len(batch))
            yield pa.RecordBatch.from_pydict({name: values[name] for name in columns})

    def progress(self) -> float | None:
        """The share of the file read so far, where its rows are not known."""
        return self._source.progress()


def check_partitions(source: Source, partitions: Sequence[tuple[str, str | None]]) -> None:
    """Check that no folder is named like a column, which would leave two values for one row.

    Raises:
        DataError: One is.
    """
    for name, _ in partitions:
        if name in source.schema.names:
            raise DataError(
                f"{source.file} has a column {shown(name)}, "
                f"and stands in a folder {shown(name)[1:-1]}=…",
                "rename the folder, or drop the column",
            )
