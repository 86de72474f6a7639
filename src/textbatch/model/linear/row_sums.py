"""Sums of the lines of a table, row by row: the sparse product of the linear model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from textbatch.types import Float32Array, Int32Array, Int64Array

#: Lines that are gathered at a time, as numbers: so many stay in the processor's cache.
_NUMBERS_AT_ONCE = 1 << 17


def row_sums(
    table: Float32Array,
    places: Int32Array | Int64Array,
    offsets: Int64Array,
    values: Float32Array | None = None,
) -> NDArray[np.float64]:
    """Add up lines of a table for each row, one after the other, in double precision.

    Not the sparse product of scipy: scoring would need 140 MB of scipy for this one line. The bits
    of a row depend on that row alone.

    Args:
        table: Shape `(lines, width)`.
        places: The lines of the rows, row after row. Shape `(entries,)`.
        offsets: Row `i` has `places[offsets[i]:offsets[i + 1]]`. Shape `(rows + 1,)`.
        values: What each line is multiplied with, in single precision; None for 1. Shape
            `(entries,)`.

    Returns:
        Shape `(rows, width)`.
    """
    sums = np.zeros((len(offsets) - 1, table.shape[1]))
    there = np.flatnonzero(np.diff(offsets))
    starts, ends = offsets[there], offsets[there + 1]
    step = max(1, _NUMBERS_AT_ONCE // max(1, table.shape[1]))
    first = 0
    while first < len(there):
        last = max(first + 1, int(np.searchsorted(ends, starts[first] + step, side="right")))
        here = slice(starts[first], ends[last - 1])
        lines = table[places[here]]
        if values is not None:
            lines *= values[here, None]
        within = starts[first:last] - starts[first]
        sums[there[first:last]] = np.add.reduceat(lines, within, axis=0, dtype=np.float64)
        first = last
    return sums


def offsets_of(rows: Int64Array, num_rows: int) -> Int64Array:
    """Where the entries of each row begin, and where those of the last one end.

    Args:
        rows: The row of each entry, ascending. Shape `(entries,)`.
        num_rows: How many rows there are.

    Returns:
        Shape `(num_rows + 1,)`.
    """
    offsets = np.zeros(num_rows + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=num_rows), out=offsets[1:])
    return offsets
