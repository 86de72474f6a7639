"""A file in a Hive-partitioned folder, whose `key=value` folders are the values of columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.column_names import shown
from textbatch.data.readers.source import Source
from textbatch.errors import DataError


def with_partitions(
    source: Source, partitions: Sequence[tuple[str, str | None]], *, as_columns: bool
) -> Source:
    """Read a file together with its `key=value` folders.

    Args:
        source: The file.
        partitions: The folders, in order; None is Hive's null.
        as_columns: Whether keys become columns, if the file does not have such columns.

    Returns:
        A source. It is the file itself if its folders change nothing.
    """
    if not partitions:
        return source
    names = {name.casefold(): name for name in source.schema.names}
    own = {names[key.casefold()]: value for key, value in partitions if key.casefold() in names}
    other = {key: value for key, value in partitions if key.casefold() not in names}
    if not own and not as_columns:
        return source
    return PartitionedSource(source, repeated=own, added=other if as_columns else {})


class PartitionedSource:
    """Another source, with the values of the `key=value` folders above it."""

    def __init__(
        self,
        source: Source,
        *,
        repeated: dict[str, str | None],
        added: dict[str, str | None],
    ) -> None:
        """Put folders and columns together.

        Args:
            source: The file.
            repeated: Columns of the file that are folders too. Each row must have that value.
            added: Columns that every row gets, with their value.
        """
        self._source, self._repeated, self._added = source, repeated, added
        self.file, self.num_rows, self.set_aside = source.file, source.num_rows, source.set_aside
        self.names_doubtful = source.names_doubtful
        self.notes, self.types = source.notes, source.types
        self.unreadable, self.inexact = source.unreadable, source.inexact
        fields = [pa.field(name, pa.string()) for name in added]
        self.schema: pa.Schema = pa.schema([*source.schema, *fields], source.schema.metadata)

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`.

        Raises:
            DataError: A column has another value than its folder.
        """
        own = [name for name in columns if name not in self._added]
        for batch in self._source.batches(own, max_rows):
            values = {name: batch.column(name) for name in own}
            for name in self._repeated.keys() & set(own):
                self._check(name, values[name])
            for name in self._added.keys() & set(columns):
                values[name] = pa.repeat(pa.scalar(self._added[name], pa.string()), len(batch))
            yield pa.RecordBatch.from_pydict({name: values[name] for name in columns})

    def progress(self) -> float | None:
        """The share of the file that is read so far, if the number of rows is not known."""
        return self._source.progress()

    def _check(self, name: str, column: pa.Array) -> None:
        """Compare a column with its folder. A row must not have two values."""
        if not _has_only(column, self._repeated[name]):
            raise DataError(
                f"{self.file} has a column {shown(name)} of other values than its folder "
                f"{shown(name)[1:-1]}=…",
                "rename the folder, or drop the column",
            )


def _has_only(column: pa.Array, text: str | None) -> bool:
    """Whether each row has the value in the name of the folder."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.unique().dictionary_decode()
    if text is None:
        return bool(column.null_count == len(column))
    try:
        value = pa.scalar(text).cast(column.type)
        same = pc.all(pc.equal(column, value), skip_nulls=False).as_py()
    except pa.ArrowException:
        return False
    return same is True
