from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.arrow import MAJOR, writable

from textbatch.data.readers.chunks import rebatch
from textbatch.data.readers.source import open_source
from textbatch.errors import DataError
from textbatch.scoring.chunks import read_chunks
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

# A type and a strategy for its values, as `pa.array` takes them.
LEAVES = [
    (pa.null(), st.none()),
    (pa.bool_(), st.booleans()),
    (pa.int8(), st.integers(-128, 127)),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float16(), st.floats(width=16)),
    (pa.float32(), st.floats(width=32)),
    (pa.float64(), st.floats()),
    (pa.string(), st.text(max_size=5)),
    (pa.large_string(), st.text(max_size=5)),
    (pa.binary(), st.binary(max_size=5)),
    (pa.large_binary(), st.binary(max_size=5)),
    (pa.binary(3), st.binary(min_size=3, max_size=3)),
    (pa.decimal128(12, 3), st.decimals(-(10**8), 10**8, places=3)),
    (pa.decimal256(50, 1), st.decimals(-(10**8), 10**8, places=1)),
    (pa.date32(), st.dates()),
    (pa.time32("ms"), st.integers(0, 86_399_999)),
    (pa.time64("ns"), st.integers(0, 86_399_999_999_999)),
    (pa.timestamp("s"), st.integers(0, 2**33)),
    (pa.timestamp("us", "Europe/Paris"), st.integers(0, 2**50)),
    (pa.timestamp("ns", "UTC"), st.integers(0, 2**62)),
    (pa.duration("us"), st.integers(-(2**50), 2**50)),
    (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["red", "green", "é", ""])),
    (pa.dictionary(pa.int32(), pa.large_binary()), st.binary(max_size=2)),
]


def _nested(kinds):
    return st.one_of(
        kinds.map(lambda kind: (pa.list_(kind[0]), _lists(kind[1], 3))),
        kinds.map(lambda kind: (pa.large_list(kind[0]), _lists(kind[1], 3))),
        kinds.map(lambda kind: (pa.list_(kind[0], 2), _lists(kind[1], 2, shortest=2))),
        kinds.map(
            lambda kind: (
                pa.map_(pa.string(), kind[0]),
                st.lists(st.tuples(st.text(max_size=3), _optional(kind[1])), max_size=2),
            )
        ),
        st.tuples(kinds, kinds).map(
            lambda pair: (
                pa.struct([("text", pair[0][0]), ("a.b", pair[1][0])]),
                st.fixed_dictionaries(
                    {"text": _optional(pair[0][1]), "a.b": _optional(pair[1][1])}
                ),
            )
        ),
    )


def _lists(values, longest, *, shortest=0):
    return st.lists(_optional(values), min_size=shortest, max_size=longest)


def _optional(values):
    return st.one_of(st.none(), values)


# Arrow cannot write string views inside other types.
VIEWS = [st.just((kind, st.text(max_size=20))) for kind in writable(pa.string_view())]
KINDS = st.one_of(*VIEWS, st.recursive(st.sampled_from(LEAVES), _nested, max_leaves=4))


@st.composite
def tables(draw):
    """A table of a text column among columns of any types and names."""
    rows = draw(st.integers(0, 9))
    names = draw(st.lists(st.text(min_size=1, max_size=3), unique=True, max_size=4))
    columns = {}
    for name in [*names, "text"]:
        kind, values = draw(KINDS) if name != "text" else (pa.string(), st.text(max_size=5))
        column = draw(st.lists(_optional(values), min_size=rows, max_size=rows))
        columns[name] = pa.array(column, kind)
    order = draw(st.permutations(list(columns)))
    return pa.table({name: columns[name] for name in order})


def read(path: Path, *columns: str, chunk_rows: int = 3) -> pa.Table:
    source = open_source(path)
    names = list(columns) or source.schema.names
    schema = pa.schema([source.schema.field(name) for name in names])
    batches = source.batches(names, chunk_rows)
    chunks = list(rebatch(batches, schema, max_rows=chunk_rows, max_bytes=1 << 30))
    assert all(chunk.num_rows <= chunk_rows for chunk in chunks)
    return pa.Table.from_batches(chunks, schema)


def same(left: pa.Table, right: pa.Table) -> bool:
    """Equal, also where both are NaN, and with different zeros told apart."""
    return left.schema.equals(right.schema) and repr(left.to_pydict()) == repr(right.to_pydict())


@pytest.mark.skipif(MAJOR < 26, reason="Arrow before 26 reads no null in a fixed-size list")
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(table=tables(), row_group_rows=st.integers(1, 10), chunk_rows=st.integers(1, 10))
def test_columns_of_any_type_pass_through_equal_and_in_order(
    table, row_group_rows, chunk_rows, model, tmp_path
):
    source, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(table, source, row_group_size=row_group_rows)
    score(
        ScoreConfig(
            inputs=(source,), output=output, model=model, if_exists="replace", chunk_rows=chunk_rows
        )
    )
    before, after = pq.read_table(source), pq.read_table(output)
    assert same(after.select(range(before.num_columns)), before)
    assert after.column_names[before.num_columns :] == ["predicted_label", "confidence", "status"]


def test_dictionaries_that_differ_between_row_groups_keep_every_value(model, tmp_path):
    source, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    kind = pa.dictionary(pa.int32(), pa.string())
    pieces = [["red", None], ["blue", "red"], ["green", "blue"], [None, None]]
    column = pa.chunked_array([pa.array(piece, pa.string()).cast(kind) for piece in pieces])
    pq.write_table(pa.table({"colour": column, "text": column}), source, row_group_size=2)
    score(ScoreConfig(inputs=(source,), output=output, model=model, chunk_rows=3))
    colours = pq.read_table(output)["colour"]
    assert colours.type == kind
    assert colours.to_pylist() == [value for piece in pieces for value in piece]


def test_asked_columns_come_in_the_order_asked_for(tmp_path):
    path = tmp_path / "in.parquet"
    table = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"], "c": [[1], [], None]})
    pq.write_table(table, path, row_group_size=2)
    assert read(path, "b", "c", "a").equals(table.select(["b", "c", "a"]))
    assert read(path, "b").equals(table.select(["b"]))


@pytest.mark.parametrize("columns", [("a.b",), ("a",), ("text", "a.b"), ("text", "a.b", "a")])
@pytest.mark.parametrize("kind", [pa.int64(), pa.string()])
def test_a_name_with_a_dot_is_not_taken_for_a_nested_field(columns, kind, tmp_path):
    path = tmp_path / "in.parquet"
    nested = pa.array([{"b": 1, "c": 2}] * 3, pa.struct([("b", pa.int64()), ("c", pa.int64())]))
    nested = nested.cast(pa.struct([("b", kind), ("c", kind)]))
    flat = pa.array([7, 8, 9]).cast(kind)
    table = pa.table({"a": nested, "a.b": flat, "text": ["x", "y", "z"]})
    pq.write_table(table, path)
    assert read(path, *columns).equals(table.select(list(columns)))


def test_no_rows_give_no_batches_and_the_schema(tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), path)
    source = open_source(path)
    assert (source.num_rows, source.schema.names) == (0, ["text"])
    assert list(source.batches(["text"], 10)) == []


def test_schema_and_metadata_are_kept_and_earlier_runs_are_not(model, tmp_path):
    first, second = tmp_path / "in.parquet", tmp_path / "out.parquet"
    field = pa.field("text", pa.string(), nullable=False, metadata={"unit": "words"})
    metadata = {"owner": "data", "textbatch.run_id": "of yesterday"}
    pq.write_table(pa.table([["refund"]], pa.schema([field], metadata=metadata)), first)
    report = score(ScoreConfig(inputs=(first,), output=second, model=model))
    schema = pq.read_schema(second)
    assert schema.metadata[b"owner"] == b"data"
    assert pq.read_metadata(second).metadata[b"textbatch.run_id"].decode() == report.run_id
    assert schema.metadata.get(b"textbatch.run_id", report.run_id.encode()) != b"of yesterday"
    assert schema.field("text").equals(pq.read_schema(first).field("text"), check_metadata=True)


def test_one_row_group_is_not_held_in_memory_whole(tmp_path):
    path = tmp_path / "in.parquet"
    texts = [f"{row:08d} " * 200 for row in range(40_000)]
    pq.write_table(pa.table({"text": texts}), path, compression="zstd", use_dictionary=False)
    source = open_source(path)
    before, peak = pa.total_allocated_bytes(), 0
    del texts
    for _ in read_chunks(source, "text", ["text"], 500):
        peak = max(peak, pa.total_allocated_bytes() - before)
    assert pq.read_metadata(path).row_group(0).total_byte_size > 64 << 20
    assert peak < 32 << 20


@pytest.fixture
def good(tmp_path) -> bytes:
    path = tmp_path / "good.parquet"
    table = pa.table({"id": range(3000), "text": [f"text {i} {i * i}" for i in range(3000)]})
    pq.write_table(table, path, row_group_size=1000, write_page_checksum=True)
    return path.read_bytes()


def test_a_file_cut_anywhere_is_a_data_error(good, tmp_path):
    path = tmp_path / "cut.parquet"
    some = random.Random(0).sample(range(len(good)), 100)
    for size in [*range(13), *range(len(good) - 13, len(good)), *some]:
        path.write_bytes(good[:size])
        with pytest.raises(DataError):
            open_source(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"PA", "is not Parquet"),
        (b"PAR1", "damaged Parquet footer"),
        (b"id,text\n1,hello\n", "is not Parquet; if it is text, give --format"),
        (b"PAR1 half of a file", "truncated or still being written"),
        (b"PARE" + bytes(40) + b"PARE", "is encrypted Parquet"),
        (b"PAR1" + bytes(40) + b"PARE", "is encrypted Parquet"),
        (b"PAR1" + bytes(40) + b"\xff\xff\xff\x7fPAR1", "damaged Parquet footer"),
        (b"PAR1" + bytes(40) + b"\x00\x00\x00\x00PAR1", "damaged Parquet footer"),
        (b"PAR1" + bytes(40) + b"\x10\x00\x00\x00PAR1", "damaged Parquet footer"),
    ],
)
def test_what_is_no_parquet_file_is_told_by_its_kind(content, message, tmp_path):
    path = tmp_path / "in.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        open_source(path)


def test_a_flipped_bit_in_a_page_with_a_checksum_is_a_data_error(good, tmp_path):
    path = tmp_path / "flipped.parquet"
    path.write_bytes(good)
    expected = read(path, chunk_rows=500)
    footer = len(good) - 8 - int.from_bytes(good[-8:-4], "little")
    bits = random.Random(1)
    noticed = 0
    for _ in range(150):
        damaged = bytearray(good)
        damaged[bits.randrange(4, footer)] ^= 1 << bits.randrange(8)
        path.write_bytes(damaged)
        try:
            # A bit in a page's header can be one that nothing depends on.
            assert read(path, chunk_rows=500).equals(expected)
        except DataError:
            noticed += 1
    assert noticed > 100


def test_a_flipped_bit_in_the_footer_is_a_data_error_or_harmless_to_the_process(good, tmp_path):
    path = tmp_path / "flipped.parquet"
    footer = len(good) - 8 - int.from_bytes(good[-8:-4], "little")
    bits = random.Random(2)
    noticed = 0
    for _ in range(150):
        damaged = bytearray(good)
        damaged[bits.randrange(footer, len(good))] ^= 1 << bits.randrange(8)
        path.write_bytes(damaged)
        try:
            read(path, chunk_rows=500)
        except DataError:
            noticed += 1
    assert noticed > 30


def test_column_names_must_differ(tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table([["a"], ["b"]], names=["text", "text"]), path)
    with pytest.raises(DataError, match="more than one column 'text'"):
        open_source(path)


def test_a_file_without_columns_is_a_data_error(tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({}), path)
    with pytest.raises(DataError, match="has no columns"):
        open_source(path)
