"""Makes record batches of limited size, in rows and in bytes, from batches of any size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from textbatch.data.readers.nested import decoded, total_bytes
from textbatch.errors import DataError

#: A row is refused if it is decoded to more than this, and to more than this many times what was
#: read. No row can be cut.
_BOMB_BYTES, _BOMB_RATIO = 64 << 20, 20


def rebatch(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, max_rows: int, max_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Split large batches and join small ones, in order.

    Columns that are dictionary-encoded, but plain in the schema, are decoded here, a piece of
    limited size at a time. A few bytes of a dictionary can stand for gigabytes of text.

    Args:
        batches: Batches of any size.
        schema: Schema of the batches to yield.
        max_rows: Limit on the rows of a batch.
        max_bytes: Limit on the decoded bytes of a batch; a single row may be larger.

    Yields:
        Batches that hold the same rows in the same order.

    Raises:
        DataError: A single row is a decompression bomb.
    """
    pieces: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        for piece, piece_bytes in _bounded(batch, max_rows, max_bytes):
            if pieces and (rows + len(piece) > max_rows or size + piece_bytes > max_bytes):
                yield _joined(pieces)
                pieces, rows, size = [], 0, 0
            pieces.append(_decoded(piece, schema))
            rows += len(piece)
            size += piece_bytes
    if pieces:
        yield _joined(pieces)


def _joined(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    """The rows of batches as one; `pyarrow.concat_batches` is there from release 19 on."""
    columns = [pa.concat_arrays(columns) for columns in zip(*pieces, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=pieces[0].schema)


def _bounded(
    batch: pa.RecordBatch, max_rows: int, max_bytes: int
) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Yield slices within the limits, each with its decoded size in bytes."""
    if not batch.num_rows:
        return
    sizes = total_bytes(batch.columns, batch.num_rows)
    _check_rows(batch, int(sizes.max()))
    ends = np.cumsum(sizes)
    start = before = 0
    while start < batch.num_rows:
        stop = int(np.searchsorted(ends, before + max_bytes, side="right"))
        stop = min(max(stop, start + 1), start + max_rows)
        yield batch.slice(start, stop - start), int(ends[stop - 1]) - before
        start, before = stop, int(ends[stop - 1])


def _check_rows(batch: pa.RecordBatch, longest: int) -> None:
    """Refuse a row that lists one long text of a dictionary again and again."""
    if longest > _BOMB_BYTES and longest > _BOMB_RATIO * batch.get_total_buffer_size():
        raise DataError(
            f"a row unpacks to {longest:,} bytes, like a decompression bomb",
            "mend it, or leave its column out with `score --columns`",
        )


def _decoded(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        decoded(column, field.type) for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
