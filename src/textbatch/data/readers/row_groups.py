"""Plans how the row groups of a Parquet file are read in limited memory.

The footer says how large a column is in the file, not how large it becomes. With a dictionary, or
with the shared prefixes of DELTA_BYTE_ARRAY, a few bytes can stand for gigabytes. So texts are read
as dictionaries if these are not large, and `chunks.rebatch` decodes them piece by piece. Other
texts are read only as many rows at a time as fit if all values are as long as the longest one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.readers.nested import fixed_bytes, is_text, leaf_types

#: Row groups are read together up to this size. Columns are read as dictionaries up to this size
#: in total.
RUN_BYTES = 16 << 20
#: A larger row group is read in batches of this size. Long texts may be close together, so the
#: number of rows has a limit too.
_LARGE_GROUP_BATCH_BYTES, _LARGE_GROUP_BATCH_ROWS = 4 << 20, 1024
#: Limit on the size of a batch, if each of its values were as long as the longest one.
WORST_BATCH_BYTES = 64 << 20
#: A list is assumed to hold at most this many times the mean number of values.
_LONG_LIST = 8
_INDEX_BYTES = 4
_DICTIONARY = frozenset({"PLAIN_DICTIONARY", "RLE_DICTIONARY"})
#: Arrow can read these encodings as a dictionary. It refuses others.
_READ_AS_DICTIONARY = _DICTIONARY | {"PLAIN", "RLE", "BIT_PACKED"}
_SHARED_PREFIXES = "DELTA_BYTE_ARRAY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A column in Parquet's sense: a flat column, or the innermost part of a nested one.

    Attributes:
        index: Its number among all leaves.
        path: The names of the columns around it and its own name, with dots between.
        column: Number of the whole column.
        kind: Type of its values.
        nested: Whether it is inside a list or a struct.
        repeated: Whether it is inside a list.
        unique: Whether no other leaf has the same path. Arrow selects leaves by path.
        int96: Whether it holds Parquet's old timestamps.
    """

    index: int
    path: str
    column: int
    kind: pa.DataType
    nested: bool
    repeated: bool
    unique: bool
    int96: bool

    @property
    def is_text(self) -> bool:
        """Whether its values are texts or bytes, which can be read as a dictionary."""
        return is_text(self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Row groups that are read together.

    Attributes:
        row_groups: Numbers of the row groups.
        dictionaries: Paths of the leaves to read as dictionaries.
        batch_rows: Number of rows to read at a time.
    """

    row_groups: tuple[int, ...]
    dictionaries: frozenset[str]
    batch_rows: int


#: The largest size of a leaf in a row group, in bytes: of a value in its dictionary or, without
#: one, of a row.
Longest = Callable[[int, Leaf], int]


def leaves_of(parquet: pq.ParquetSchema, schema: pa.Schema) -> list[Leaf]:
    """List the leaves of all columns of a file.

    Args:
        parquet: The schema in Parquet's form.
        schema: The same schema in Arrow's form.
    """
    kinds = [(i, kind) for i, field in enumerate(schema) for kind in leaf_types(field.type)]
    paths = Counter(parquet.column(i).path for i in range(len(kinds)))
    found = []
    for index, (column, kind) in enumerate(kinds):
        leaf = parquet.column(index)
        found.append(
            Leaf(
                index=index,
                path=leaf.path,
                column=column,
                kind=kind,
                nested=leaf.path != schema.field(column).name,
                unique=paths[leaf.path] == 1,
                repeated=leaf.max_repetition_level > 0,
                int96=leaf.physical_type == "INT96",
            )
        )
    return found


class RowGroups:
    """Plans how the row groups of a file are read."""

    def __init__(
        self, metadata: pq.FileMetaData, leaves: Collection[Leaf], longest: Longest
    ) -> None:
        """Prepare the plan.

        Args:
            metadata: The footer of the file.
            leaves: The leaves of the columns to read.
            longest: Finds how long the values of a leaf are, if its size does not say it.
        """
        self._metadata, self._leaves, self._longest = metadata, leaves, longest

    def runs(self, max_rows: int, groups: range | None = None) -> Iterator[Run]:
        """Yield row groups, in order.

        Args:
            max_rows: Limit on the rows of a batch.
            groups: Their numbers; None for all.
        """
        last: Run | None = None
        size = 0
        for index in range(self._metadata.num_row_groups) if groups is None else groups:
            group = self._metadata.row_group(index)
            if not group.num_rows:
                continue
            run = self.alone(index, max_rows)
            if last and self._joins(last, run) and size + group.total_byte_size <= RUN_BYTES:
                size += group.total_byte_size
                last = Run(
                    row_groups=(*last.row_groups, index),
                    dictionaries=last.dictionaries,
                    batch_rows=min(last.batch_rows, run.batch_rows),
                )
                continue
            if last:
                yield last
            last, size = run, group.total_byte_size
        if last:
            yield last

    def _joins(self, run: Run, other: Run) -> bool:
        """Whether Arrow can read both together. It cannot if nested dictionaries change."""
        changing = any(
            leaf.nested and (leaf.path in run.dictionaries or pa.types.is_dictionary(leaf.kind))
            for leaf in self._leaves
        )
        return run.dictionaries == other.dictionaries and not changing

    def alone(self, index: int, max_rows: int) -> Run:
        """Plan how to read one row group.

        Args:
            index: Its number. It must have rows.
            max_rows: Limit on the rows of a batch.
        """
        group = self._metadata.row_group(index)
        dictionaries = self._dictionaries(group)
        rows = max_rows
        if group.total_byte_size > RUN_BYTES:
            mean = group.total_byte_size / group.num_rows
            rows = min(rows, _LARGE_GROUP_BATCH_ROWS, int(_LARGE_GROUP_BATCH_BYTES / mean))
        worst = sum(
            self._worst(index, leaf, as_dictionary=leaf.path in dictionaries)
            for leaf in self._leaves
        )
        rows = max(1, min(rows, int(WORST_BATCH_BYTES / max(1.0, worst))))
        return Run(row_groups=(index,), dictionaries=dictionaries, batch_rows=rows)

    def _dictionaries(self, group: pq.RowGroupMetaData) -> frozenset[str]:
        """Choose the leaves to read as dictionaries: the smallest, as Arrow may hold them whole."""
        chunks = [(group.column(leaf.index), leaf) for leaf in self._leaves if leaf.is_text]
        fitting = sorted(
            (chunk.total_uncompressed_size, leaf.path)
            for chunk, leaf in chunks
            if leaf.unique and _has_dictionary(chunk)
        )
        chosen, total = set(), 0
        for size, path in fitting:
            total += size
            if total > RUN_BYTES:
                break
            chosen.add(path)
        return frozenset(chosen)

    def _worst(self, index: int, leaf: Leaf, *, as_dictionary: bool) -> float:
        """Bytes of a row, if all its values were as long as the longest one."""
        group = self._metadata.row_group(index)
        chunk = group.column(leaf.index)
        values: float = 1.0
        if leaf.repeated:
            values = chunk.num_values / group.num_rows * _LONG_LIST
        if as_dictionary:
            return values * _INDEX_BYTES
        if not leaf.is_text:
            return values * fixed_bytes(leaf.kind)
        mean: float = chunk.total_uncompressed_size / max(1, chunk.num_values)
        if not expands(chunk):
            return values * mean
        longest = float(self._longest(index, leaf))
        return longest if is_measured(chunk, leaf) else values * max(mean, longest)


def expands(chunk: pq.ColumnChunkMetaData) -> bool:
    """Whether texts may be much longer than their form in the file."""
    encodings = set(chunk.encodings)
    return bool(encodings & _DICTIONARY) or _SHARED_PREFIXES in encodings


def is_measured(chunk: pq.ColumnChunkMetaData, leaf: Leaf) -> bool:
    """Whether rows have to be measured, because Arrow cannot read the leaf as a dictionary.

    Args:
        chunk: The leaf in a row group, as the footer describes it.
        leaf: The leaf.
    """
    return not leaf.unique or not _has_dictionary(chunk)


def _has_dictionary(chunk: pq.ColumnChunkMetaData) -> bool:
    encodings = set(chunk.encodings)
    return bool(encodings & _DICTIONARY) and encodings <= _READ_AS_DICTIONARY
