"""Record batches of a bounded size, in rows and in bytes, out of batches of any size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from textbatch.data.readers.nested import decoded, total_bytes


def rebatch(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, max_rows: int, max_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Split large batches and join small ones, in order.

    Columns that come dictionary-encoded although the schema has plain ones are decoded here, a
    bounded piece at a time: a few bytes of dictionary can stand for gigabytes of text.

    Args:
        batches: Any sizes.
        schema: Of the batches to yield.
        max_rows: Bound on rows.
        max_bytes: Bound on decoded bytes; a single row may exceed it.

    Yields:
        Batches that hold the same rows in the same order.
    """
    pieces: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        for piece, piece_bytes in _bounded(batch, max_rows, max_bytes):
            if pieces and (rows + len(piece) > max_rows or size + piece_bytes > max_bytes):
                yield pa.concat_batches(pieces)
                pieces, rows, size = [], 0, 0
            pieces.append(_decoded(piece, schema))
            rows += len(piece)
            size += piece_bytes
    if pieces:
        yield pa.concat_batches(pieces)


def _bounded(
    batch: pa.RecordBatch, max_rows: int, max_bytes: int
) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Slices within the bounds, each with its decoded size in bytes."""
    if not batch.num_rows:
        return
    ends = np.cumsum(total_bytes(batch.columns, batch.num_rows))
    start = before = 0
    while start < batch.num_rows:
        stop = int(np.searchsorted(ends, before + max_bytes, side="right"))
        stop = min(max(stop, start + 1), start + max_rows)
        yield batch.slice(start, stop - start), int(ends[stop - 1]) - before
        start, before = stop, int(ends[stop - 1])


def _decoded(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        decoded(column, field.type) for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
