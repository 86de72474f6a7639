from __future__ import annotations

import pyarrow as pa
import pytest

from textbatch.data.readers.text_column import (
    check_text_type,
    decode_texts,
    joined_lists,
    without,
)
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


LISTS = [["a", None, "b"], None, [], [None], ["", "é\0😀"], ["x"]]
JOINED = ["a|b", None, "", "", "|é\0😀", "x"]


def lists(values, kind: pa.DataType) -> pa.Array:
    """Lists of strings as another type; Arrow casts neither to dictionaries nor to views."""
    plain = pa.array(values, pa.large_list(pa.large_string()))
    inner = typed(plain.values.to_pylist(), kind)
    return pa.LargeListArray.from_arrays(plain.offsets, inner, mask=plain.is_null())


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_lists_of_any_kind_of_text_are_joined(kind):
    column = lists(LISTS, kind)
    small = pa.array(LISTS, pa.list_(pa.string()))
    check_text_type(column.type, "in.parquet column 'text'", "|")
    for found, wanted in (
        (column, JOINED),
        (column.slice(1, 3), JOINED[1:4]),
        (column.slice(2, 0), []),
        (small.slice(2), JOINED[2:]),
    ):
        texts, bad = decode_texts(joined_lists(found, "|"))
        assert texts.to_pylist() == wanted
        assert not bad.any()


def test_lists_of_one_length_are_joined():
    column = pa.array([["a", "b"], None, [None, "c"]], pa.list_(pa.string(), 2))
    for found, wanted in ((column, ["a, b", None, "c"]), (column.slice(1), [None, "c"])):
        assert decode_texts(joined_lists(found, ", "))[0].to_pylist() == wanted


def test_lists_without_any_string_are_joined():
    column = pa.array([[], None, [None]], pa.list_(pa.null()))
    assert decode_texts(joined_lists(column, " "))[0].to_pylist() == ["", None, ""]


def test_a_list_with_bytes_that_are_no_text_is_a_bad_row():
    column = pa.array([[b"a", b"\xff"], [b"b"], None, [b"\xc3"]], pa.list_(pa.binary()))
    texts, bad = decode_texts(joined_lists(column, ""))
    assert texts.to_pylist() == [None, "b", None, None]
    assert bad.tolist() == [True, False, False, True]


@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int8(), pa.string())], ids=str)
def test_texts_that_are_no_lists_stay_as_they_are(kind):
    column = typed(TEXTS, kind)
    assert joined_lists(column, "|").equals(column)


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.int64()),
        pa.list_(pa.list_(pa.string())),
        pa.map_(pa.string(), pa.string()),
        pa.struct([("a", pa.string())]),
    ],
    ids=str,
)
def test_what_is_no_list_of_texts_is_no_text(kind):
    with pytest.raises(DataError, match="not text") as caught:
        check_text_type(kind, "in.parquet column 'text'", "|")
    assert "--join-lists" not in str(caught.value)


def test_only_the_whole_text_means_a_missing_one():
    texts = pa.array(["NA", " NA", "NA ", "na", "NAN", "", None])
    assert without(texts, ["NA", "-"]).to_pylist() == [None, " NA", "NA ", "na", "NAN", "", None]
    assert without(texts, [""]).to_pylist()[-2:] == [None, None]
    assert without(texts, []).equals(texts)
