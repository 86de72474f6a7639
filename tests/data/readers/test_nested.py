from __future__ import annotations

import pyarrow as pa
import pytest

from textbatch.data.readers.nested import decoded, leaf_types, leaves, row_bytes

WORDS = pa.dictionary(pa.int32(), pa.string())
LISTS = [["a", None], None, [], ["bb", "c"]] * 3
PAIRS = [["a", None], None, ["cc", "d"], ["bb", "c"]] * 3


def in_map(words: pa.Array) -> pa.Array:
    offsets = pa.array([0, 1, None, 1, 3], pa.int32())
    return pa.MapArray.from_arrays(offsets, pa.array(["k", "l", "m"]), words)


def both() -> list[tuple[pa.Array, pa.Array]]:
    """Arrays with dictionaries somewhere inside, and the same ones without."""
    words = pa.array(["x", "yy", None])
    structs = [{"a": "x", "b": 1}, {"a": None, "b": None}, {"a": "yy", "b": 3}] * 4
    deep = [[{"q": ["a"]}], None, [{"q": None}, {"q": ["b", "cc"]}]] * 4

    def of(values: list, kind):
        return pa.array(values, kind(WORDS)), pa.array(values, kind(pa.string()))

    return [
        of(["a", None, "bb", "a"] * 3, lambda leaf: leaf),
        of(LISTS, pa.list_),
        of(LISTS, pa.large_list),
        of(PAIRS, lambda leaf: pa.list_(leaf, 2)),
        of(structs, lambda leaf: pa.struct([("a", leaf), ("b", pa.int64())])),
        of(deep, lambda leaf: pa.list_(pa.struct([("q", pa.list_(leaf))]))),
        (in_map(words.dictionary_encode()), in_map(words)),
    ]


@pytest.mark.parametrize("pair", both(), ids=lambda pair: str(pair[1].type)[:30])
@pytest.mark.parametrize(("start", "length"), [(0, 12), (1, 3), (3, 5), (2, 0), (3, 1)])
def test_a_slice_is_measured_and_decoded_as_if_it_never_had_a_dictionary(pair, start, length):
    encoded, plain = (array.slice(start, length) for array in pair)
    result = decoded(encoded, plain.type)
    result.validate(full=True)
    assert result.type == plain.type
    assert result.to_pylist() == plain.to_pylist()
    assert row_bytes(encoded).tolist() == row_bytes(result).tolist()
    assert len(row_bytes(encoded)) == len(plain)


def test_only_the_rows_of_a_slice_are_decoded():
    long = pa.array(["x" * 1_000_000]).dictionary_encode().take(pa.array([0] * 300))
    lists = pa.ListArray.from_arrays(pa.array(range(301), pa.int32()), long)
    before = pa.total_allocated_bytes()
    result = decoded(lists.slice(7, 2), pa.list_(pa.string()))
    assert pa.total_allocated_bytes() - before < 4_000_000
    assert [len(text) for row in result.to_pylist() for text in row] == [1_000_000] * 2


def test_rows_are_measured_with_what_their_dictionary_stands_for():
    texts = pa.array(["x" * 50, "y", None]).dictionary_encode()
    assert row_bytes(texts).tolist() == [50, 1, 0]
    assert row_bytes(pa.array(["x" * 50, "y", None], pa.string_view())).tolist() == [50, 1, 0]
    assert row_bytes(pa.array([1, None], pa.int64())).tolist() == [8, 8]
    assert row_bytes(pa.array([[1, 2], []], pa.list_(pa.int16()))).tolist() == [8, 4]


def test_leaves_come_in_the_order_that_parquet_has_them_in():
    kind = pa.struct([("a", pa.map_(pa.string(), pa.list_(pa.int8()))), ("b", pa.list_(WORDS, 2))])
    assert list(leaf_types(kind)) == [pa.string(), pa.int8(), WORDS]
    row = {"a": [("k", [1, 2])], "b": ["x", "y"]}
    found = list(leaves(pa.array([row], kind)))
    assert [leaf.to_pylist() for leaf in found] == [["k"], [1, 2], ["x", "y"]]


@pytest.mark.skipif(not hasattr(pa, "json_"), reason="Arrow before 19")
def test_extension_types_are_measured_and_decoded_by_their_storage():
    kind = pa.json_()
    plain = pa.ExtensionArray.from_storage(kind, pa.array(["{}", None, "[1]"]))
    assert row_bytes(plain).tolist() == [2, 0, 3]
    assert list(leaf_types(kind)) == [pa.string()]
    assert decoded(plain.storage.dictionary_encode(), kind).equals(plain)
