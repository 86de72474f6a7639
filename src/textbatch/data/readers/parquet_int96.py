"""INT96 timestamps, which Impala and older versions of Spark write, as microseconds.

INT96 counts days, over millions of years, and the nanoseconds of a day. Arrow can turn it into
nanoseconds, which hold the years 1677 to 2262 and wrap beyond. Or into microseconds, which hold
290,000 years and lose digits that hardly any writer sets. To find what does not fit, other units
are read too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from textbatch.data.readers.nested import leaves
from textbatch.data.readers.parquet_faults import UnreadableColumnError
from textbatch.data.readers.parquet_readers import Readers
from textbatch.data.readers.row_groups import Leaf
from textbatch.data.storage.files import InputFile
from textbatch.types import Int64Array

_ROWS = 16_384
_SECOND = 1_000_000
_THOUSAND = 1_000


def check_int96(
    readers: Readers,
    file: InputFile,
    columns: Sequence[tuple[str, Leaf]],
    row_groups: Sequence[int],
) -> set[str]:
    """Check that the INT96 timestamps of row groups fit into microseconds.

    Args:
        readers: The readers of the file.
        file: The file, for the message.
        columns: The leaves that are INT96, each with the name of its whole column.
        row_groups: Numbers of the row groups.

    Returns:
        The columns with values between two microseconds. They lose their last digits.

    Raises:
        UnreadableColumnError: A value is outside the range of microseconds.
    """
    return {name for name, leaf in columns if _loses_digits(readers, file, name, leaf, row_groups)}


def _loses_digits(
    readers: Readers, file: InputFile, name: str, leaf: Leaf, row_groups: Sequence[int]
) -> bool:
    loses = False
    streams = (_values(readers, leaf, row_groups, unit) for unit in ("us", "s", "ns"))
    for micros, seconds, nanos in zip(*streams, strict=True):
        if (micros // _SECOND != seconds).any():
            why = "of INT96 timestamps, some beyond the years that microseconds can count"
            raise UnreadableColumnError(file, name, why, "mend them where the file is written")
        # Nanoseconds wrap, and the product wraps too, so their difference is still right.
        loses = loses or bool((nanos != micros * _THOUSAND).any())
    return loses


def _values(
    readers: Readers, leaf: Leaf, row_groups: Sequence[int], unit: str
) -> Iterator[Int64Array]:
    """Yield the timestamps of a leaf; 0 for a missing one."""
    for batch in readers.batches(row_groups, [leaf.path], _ROWS, int96_unit=unit):
        parts = [part for column in batch.columns for part in leaves(column)]
        counts = [part.cast(pa.int64()).fill_null(0) for part in parts if _is_time(part)]
        values = [count.to_numpy(zero_copy_only=False) for count in counts]
        yield np.concatenate([np.zeros(0, np.int64), *values])


def _is_time(array: pa.Array) -> bool:
    return bool(pa.types.is_timestamp(array.type))
