"""Record batches are split and joined within both limits, to the row and to the byte."""

from __future__ import annotations

import pyarrow as pa
import pytest

from textbatch.data.readers.chunks import rebatch

SCHEMA = pa.schema([("text", pa.string())])


def sizes(lengths: list[int], *, max_rows: int, max_bytes: int = 1 << 30) -> list[int]:
    """Rows of each batch that is made of batches with so many rows, numbered through."""
    numbers = iter(range(sum(lengths)))
    batches = [
        pa.record_batch([pa.array([f"{next(numbers):04}" for _ in range(length)])], schema=SCHEMA)
        for length in lengths
    ]
    made = list(rebatch(batches, SCHEMA, max_rows=max_rows, max_bytes=max_bytes))
    texts = [text for batch in made for text in batch.column(0).to_pylist()]
    assert texts == [f"{number:04}" for number in range(sum(lengths))]
    return [batch.num_rows for batch in made]


@pytest.mark.parametrize(
    ("lengths", "made"),
    [
        ([10], [4, 4, 2]),
        ([5], [4, 1]),
        ([4], [4]),
        ([1, 1, 1, 1], [4]),
        ([1, 1, 1, 1, 1], [4, 1]),
        ([3, 1], [4]),
        ([3, 2], [3, 2]),
        ([0], []),
    ],
)
def test_no_batch_has_more_rows_than_the_limit_and_none_that_fits_is_left(lengths, made):
    assert sizes(lengths, max_rows=4) == made


def test_bytes_limit_batches_too_and_a_larger_row_goes_alone():
    one = batch_bytes(1)
    assert sizes([7], max_rows=100, max_bytes=3 * one) == [3, 3, 1]
    assert sizes([1] * 7, max_rows=100, max_bytes=3 * one) == [3, 3, 1]
    assert sizes([3], max_rows=100, max_bytes=1) == [1, 1, 1]


def batch_bytes(rows: int) -> int:
    from textbatch.data.readers.nested import total_bytes

    return int(total_bytes([pa.array(["0000"] * rows)], rows).sum())
