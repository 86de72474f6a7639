from __future__ import annotations

import pyarrow as pa
import pytest

from textbatch.data.readers.text_column import check_text_type, decode_texts
from textbatch.errors import DataError

TEXTS = ["a", None, "", "é\0😀", "a"]
KINDS = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.int64(), pa.large_binary()),
    # JSON is a type of its own from Arrow 19 on.
    *([pa.json_(), pa.json_(pa.large_string())] if hasattr(pa, "json_") else []),
]


def typed(texts, kind):
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, typed(texts, kind.storage_type))
    return pa.array(texts, pa.large_string()).cast(kind)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_of_text_gives_the_same_strings(kind):
    check_text_type(kind, "in.parquet column 'text'")
    texts, bad = decode_texts(typed(TEXTS, kind))
    assert texts.type == pa.large_string()
    assert texts.to_pylist() == TEXTS
    assert not bad.any()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_slices_and_empty_columns_are_decoded(kind):
    column = typed(["x", *TEXTS, "y"], kind)
    assert decode_texts(column.slice(1, 5))[0].to_pylist() == TEXTS
    texts, bad = decode_texts(column.slice(0, 0))
    assert (len(texts), len(bad)) == (0, 0)


def test_a_column_of_nulls_only_is_text():
    check_text_type(pa.null(), "in.parquet column 'text'")
    texts, bad = decode_texts(pa.nulls(3))
    assert texts.to_pylist() == [None] * 3
    assert not bad.any()


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()], ids=str)
def test_only_the_rows_that_are_not_utf8_are_bad(kind):
    column = pa.array([b"a", b"\xff", None, b"\xc3", "é".encode()], kind)
    texts, bad = decode_texts(column)
    assert texts.to_pylist() == ["a", None, None, None, "é"]
    assert bad.tolist() == [False, True, False, True, False]


def test_bad_bytes_inside_a_string_column_are_found():
    data = pa.array([b"a", b"\xff", b"b"], pa.binary())
    texts, bad = decode_texts(pa.Array.from_buffers(pa.string(), 3, data.buffers()))
    assert texts.to_pylist() == ["a", None, "b"]
    assert bad.tolist() == [False, True, False]


def test_a_bad_dictionary_value_is_bad_in_every_row_that_uses_it():
    values = pa.array([b"a", b"\xff", b"unused \xff"], pa.binary())
    column = pa.DictionaryArray.from_arrays(pa.array([1, 0, None, 1], pa.int32()), values)
    texts, bad = decode_texts(column)
    assert texts.to_pylist() == [None, "a", None, None]
    assert bad.tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    "kind",
    [
        pa.int64(),
        pa.float32(),
        pa.bool_(),
        pa.timestamp("us"),
        pa.list_(pa.string()),
        pa.struct([("text", pa.string())]),
        pa.binary(4),
        pa.dictionary(pa.int8(), pa.int64()),
    ],
    ids=str,
)
def test_what_is_no_text_is_refused_by_file_column_and_type(kind):
    with pytest.raises(DataError, match=r"in.parquet column 't' holds .*, not text; name a text"):
        check_text_type(kind, "in.parquet column 't'")
