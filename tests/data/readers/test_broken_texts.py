from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from textbatch.data.readers.broken_texts import mend_texts
from textbatch.errors import DataError


def not_utf8(kind: pa.DataType, *cells: bytes | None) -> pa.Array:
    """Texts whose bytes are not checked."""
    size = pa.large_binary() if kind == pa.large_string() else pa.binary()
    return pa.Array.from_buffers(kind, len(cells), pa.array(cells, size).buffers())


BROKEN = not_utf8(pa.string(), b"ok", b"caf\xe9", None, b"x")
VALID = pa.array(["a", "é", None, ""])


def batch(column: pa.Array, *, nullable: bool = True) -> pa.RecordBatch:
    schema = pa.schema([pa.field("c", column.type, nullable), pa.field("n", pa.int64())])
    return pa.RecordBatch.from_arrays([column, pa.array(range(len(column)))], schema=schema)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("nullable", [True, False])
def test_each_byte_that_is_no_text_becomes_a_sign(kind, nullable):
    cells = (b"ok", b"caf\xe9", None if nullable else b"", b"x")
    table = batch(not_utf8(kind, *cells), nullable=nullable)
    mended, bad = mend_texts(table, "in")
    assert mended.schema == table.schema
    assert mended.column(0).to_pylist() == ["ok", "caf\ufffd", None if nullable else "", "x"]
    assert bad.tolist() == [False, True, False, False]


def test_a_dictionary_keeps_its_type():
    indices = pa.array([0, 1, 1, 0], pa.int8())
    column = pa.DictionaryArray.from_arrays(indices, BROKEN.slice(0, 2))
    mended, bad = mend_texts(batch(column), "in")
    assert mended.column(0).type == column.type
    assert mended.column(0).to_pylist() == ["ok", "caf\ufffd", "caf\ufffd", "ok"]
    assert bad.tolist() == [False, True, True, False]


NESTED = {
    "list": pa.ListArray.from_arrays([0, 1, 2, 3, 4], BROKEN),
    "large list": pa.LargeListArray.from_arrays([0, 1, 2, 3, 4], BROKEN),
    "fixed-size list": pa.FixedSizeListArray.from_arrays(BROKEN, 1),
    "struct": pa.StructArray.from_arrays([BROKEN, VALID], ["a", "b"]),
    "struct in list": pa.ListArray.from_arrays(
        [0, 1, 2, 3, 4], pa.StructArray.from_arrays([BROKEN], ["a"])
    ),
    "map": pa.MapArray.from_arrays([0, 1, 2, 3, 4], pa.array(["k"] * 4), BROKEN),
    "keys of a map": pa.MapArray.from_arrays(
        [0, 1, 2, 2, 3], not_utf8(pa.string(), b"a", b"\xff", b"c"), VALID.slice(0, 3)
    ),
}


@pytest.mark.parametrize("name", NESTED)
def test_a_value_that_holds_such_a_text_becomes_null(name):
    column = NESTED[name]
    mended, bad = mend_texts(batch(column), "in")
    assert bad.tolist() == [False, True, False, False]
    assert mended.column(0).to_pylist() == [
        None if row == 1 else column.slice(row, 1).to_pylist()[0] for row in range(4)
    ]
    with pytest.raises(DataError, match=r"column 'c' has texts .* --columns"):
        mend_texts(batch(column, nullable=False), "in")


@pytest.mark.parametrize("name", NESTED)
def test_slices_are_looked_at_for_themselves(name):
    for start, bad in ((0, [False]), (2, [False, False])):
        column = NESTED[name].slice(start, len(bad))
        table = batch(column)
        assert mend_texts(table, "in") == (table, None)


def test_valid_texts_and_bytes_stay_the_very_same():
    dates = np.array([1, 2, 3, 4])
    table = pa.record_batch(
        {
            "text": VALID,
            "bytes": pa.array([b"\xff", None, b"", b"\xfe"]),
            "list": pa.array([["a"], None, [], ["b", None]]),
            # Of no whole days, which Arrow's own check refuses.
            "date": pa.Array.from_buffers(pa.date64(), 4, [None, pa.py_buffer(dates)]),
        }
    )
    assert mend_texts(table, "in")[0] is table
