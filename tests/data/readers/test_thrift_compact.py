from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbatch.data.readers.thrift_compact import (
    Entries,
    Items,
    Kind,
    MalformedError,
    read_struct,
    write_struct,
)

NUMBERS = st.integers(-(2**62), 2**62)
FLAT = st.one_of(
    st.booleans().map(lambda value: (Kind.TRUE if value else Kind.FALSE, value)),
    NUMBERS.map(lambda value: (Kind.I64, value)),
    st.binary(max_size=300).map(lambda value: (Kind.BINARY, value)),
    st.binary(min_size=8, max_size=8).map(lambda value: (Kind.DOUBLE, value)),
    st.binary(min_size=1, max_size=1).map(lambda value: (Kind.BYTE, value)),
    st.lists(NUMBERS, max_size=40).map(lambda value: (Kind.LIST, Items(Kind.I32, value))),
    st.lists(st.booleans()).map(lambda value: (Kind.SET, Items(Kind.TRUE, value))),
    st.lists(st.tuples(NUMBERS, st.binary(max_size=3)), min_size=1, max_size=3).map(
        lambda pairs: (Kind.MAP, Entries(Kind.I16, Kind.BINARY, pairs))
    ),
)
NUMBERED = st.integers(1, 3000)
STRUCTS = st.recursive(
    st.dictionaries(NUMBERED, FLAT, max_size=4),
    lambda inner: st.dictionaries(
        NUMBERED, st.one_of(FLAT, inner.map(lambda value: (Kind.STRUCT, value))), max_size=3
    ),
    max_leaves=4,
)


@given(STRUCTS, st.binary(max_size=3))
def test_what_is_written_is_read_again(struct, rest):
    data = write_struct(struct)
    assert read_struct(data + rest) == (struct, len(data))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_struct_or_malformed(data):
    try:
        _, end = read_struct(data)
    except MalformedError:
        return
    assert end <= len(data)


def test_a_footer_of_arrow_is_written_again_byte_for_byte():
    table = pa.table({"a": [1, None], "b": [["x"], []], "c": [{"d": 1.5}] * 2, "e": [True, False]})
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"k": "v" * 500}), sink)
    data = sink.getvalue()
    footer = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
    struct, end = read_struct(footer)
    assert end == len(footer)
    assert write_struct(struct) == footer


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x18\xff\xff\xff\xff\x7f",  # a text longer than what follows
        b"\x19\xf1\xff\xff\xff\xff\x7f",  # a list of two thousand million booleans
        b"\x1c" * 200,  # structs in structs
        b"\x1f\x00",  # no such type
        b"\x15" + b"\xff" * 12,  # a number without end
    ],
)
def test_what_cannot_be_is_refused_at_once(data):
    with pytest.raises(MalformedError):
        read_struct(data)
