"""Parquet texts far longer than what stands for them in the file, and how they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.arrow import writable

from textbatch.data.readers.chunks import rebatch
from textbatch.data.readers.pages import largest_page
from textbatch.data.readers.parquet_faults import UnreadableColumnError
from textbatch.data.readers.row_groups import RowGroups, leaves_of
from textbatch.data.readers.source import open_source
from textbatch.errors import DataError

LONG, ROWS = "x" * 250_000, 1500
DELTAS = ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"]


@pytest.fixture
def peak():
    """Reads a file in chunks of bounded bytes; says how many Arrow held at most, and the rows."""
    before = pa.default_memory_pool()
    pools = []

    def measured(path: Path, **bounds: int) -> tuple[int, int]:
        pools.append(pa.proxy_memory_pool(before))
        pa.set_memory_pool(pools[-1])
        source = open_source(path)
        batches = source.batches(source.schema.names, 16_384)
        bounds = {"max_rows": 16_384, "max_bytes": 8 << 20, **bounds}
        rows = sum(map(len, rebatch(batches, source.schema, **bounds)))
        return pools[-1].max_memory(), rows

    yield measured
    pa.set_memory_pool(before)


def repeated(rows: int = ROWS) -> pa.DictionaryArray:
    """One long text in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([LONG]))


def nested_columns() -> dict[str, pa.Array]:
    """That text inside everything that a column may be."""
    texts = repeated()
    offsets = pa.array(np.arange(ROWS + 1, dtype=np.int32))
    structs = pa.StructArray.from_arrays([texts], ["a"])
    return {
        "flat": texts,
        "list": pa.ListArray.from_arrays(offsets, texts),
        "struct": structs,
        "map": pa.MapArray.from_arrays(offsets, pa.array(["k"] * ROWS), texts),
        "deep": pa.LargeListArray.from_arrays(offsets.cast(pa.int64()), structs),
    }


@pytest.mark.parametrize("kind", ["flat", "list", "struct", "map", "deep"])
@pytest.mark.parametrize("filler", [0, 20 << 20])
def test_a_dictionary_with_one_long_text_is_not_unpacked_whole(kind, filler, peak, tmp_path):
    path = tmp_path / "in.parquet"
    # Beyond 16 MiB a row group counts as large, and is planned otherwise.
    fill = np.random.default_rng(0).bytes(filler // ROWS)
    table = pa.table({"x": nested_columns()[kind], "fill": [fill] * ROWS})
    leaves = ["x", "x.list.element", "x.a", "x.key_value.value", "x.list.element.a"]
    pq.write_table(table, path, store_schema=False, use_dictionary=leaves)
    bytes_held, rows = peak(path)
    assert rows == ROWS
    assert bytes_held < 100 << 20


@pytest.mark.parametrize("kind", ["list", "map"])
def test_a_row_of_a_thousand_times_one_long_text_is_refused(kind, peak, tmp_path):
    path, ends = tmp_path / "in.parquet", pa.array([0, ROWS], pa.int32())
    if kind == "list":
        column = pa.ListArray.from_arrays(ends, repeated())
    else:
        column = pa.MapArray.from_arrays(ends, pa.array(["k"] * ROWS), repeated())
    pq.write_table(pa.table({"x": column}), path, store_schema=False, compression="zstd")
    assert path.stat().st_size < 1 << 10
    with pytest.raises(DataError, match=r"a row unpacks to 375,.* like a decompression bomb"):
        peak(path)
    assert pa.default_memory_pool().max_memory() < 100 << 20


def test_shared_prefixes_that_stand_for_long_texts_are_not_unpacked_whole(peak, tmp_path):
    path = tmp_path / "in.parquet"
    texts = [LONG[:120_000]] * ROWS
    paths = dict.fromkeys(["x", "list.list.element"], "DELTA_BYTE_ARRAY")
    table = pa.table({"x": texts, "list": [[text] for text in texts]})
    pq.write_table(table, path, use_dictionary=False, column_encoding=paths, row_group_size=ROWS)
    del table
    assert path.stat().st_size < 1 << 20
    bytes_held, rows = peak(path)
    assert rows == ROWS
    assert bytes_held < 200 << 20


@pytest.mark.parametrize("encoding", DELTAS)
@pytest.mark.parametrize(
    "kind",
    writable(pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view()),
)
@pytest.mark.parametrize("store_schema", [True, False])
def test_delta_encodings_are_read_for_every_type_of_text(encoding, kind, store_schema, tmp_path):
    path = tmp_path / "in.parquet"
    texts = pa.array([*["prefix one", "prefix two", None, "", "x"] * 500, "é"]).cast(kind)
    encodings = dict.fromkeys(["text", "list.list.element"], encoding)
    lists = pa.array([["a", "ab"], None, []] * 833 + [[None]] * 2, pa.list_(pa.string()))
    pq.write_table(
        pa.table({"id": range(2501), "text": texts, "list": lists}),
        path,
        use_dictionary=False,
        column_encoding={"id": "DELTA_BINARY_PACKED", **encodings},
        row_group_size=1000,
        store_schema=store_schema,
        data_page_version="2.0",
    )
    source = open_source(path)
    chunks = rebatch(
        source.batches(source.schema.names, 300), source.schema, max_rows=700, max_bytes=1 << 20
    )
    assert pa.Table.from_batches(chunks).equals(pq.read_table(path))


def test_a_column_may_change_its_encoding_between_row_groups(tmp_path):
    parts = [["a", "b"] * 50, [f"text {i}" for i in range(100)], ["c", None] * 50]
    paths = []
    for number, texts in enumerate(parts):
        paths.append(tmp_path / f"{number}.parquet")
        delta = {"use_dictionary": False, "column_encoding": {"text": DELTAS[0]}}
        options = delta if number == 1 else {}
        pq.write_table(pa.table({"text": pa.array(texts)}), paths[-1], **options)
    groups = [pq.ParquetFile(path) for path in paths]
    plans = [
        next(RowGroups(f.metadata, leaves_of(f.schema, f.schema_arrow), lambda *_: 10).runs(50))
        for f in groups
    ]
    assert [set(plan.dictionaries) for plan in plans] == [{"text"}, set(), {"text"}]


def test_nested_dictionaries_of_several_row_groups_keep_every_value(tmp_path):
    path = tmp_path / "in.parquet"
    values = [["a", "b"], ["c"], None, [], ["a", None], ["d", "b"]]
    kind = pa.dictionary(pa.int32(), pa.string())
    columns = {
        "plain": pa.array(values, pa.list_(pa.string())),
        "list": pa.array(values, pa.list_(kind)),
        "struct": pa.array(
            [{"a": [*row, "z"][0] if row is not None else None} for row in values],
            pa.struct([("a", kind)]),
        ),
    }
    pq.write_table(pa.table(columns), path, row_group_size=2)
    source = open_source(path)
    for rows in (1, 3, 100):
        batches = source.batches(source.schema.names, rows)
        chunks = rebatch(batches, source.schema, max_rows=rows, max_bytes=1 << 20)
        found = pa.Table.from_batches(chunks, source.schema)
        assert found.to_pydict() == pa.table(columns).to_pydict()


def test_the_largest_page_is_told_by_the_pages_themselves(tmp_path):
    path = tmp_path / "in.parquet"
    texts = [f"{i:09d}" * 20 for i in range(20_000)]
    for options in ({}, {"data_page_version": "2.0", "use_dictionary": False}):
        pq.write_table(pa.table({"text": texts}), path, data_page_size=100_000, **options)
        with pa.OSFile(str(path)) as file:
            chunk = pq.read_metadata(path).row_group(0).column(0)
            assert 100_000 <= largest_page(file, chunk) < chunk.total_uncompressed_size


def test_values_of_a_fixed_size_that_arrow_needs_gigabytes_for_are_refused_by_name(tmp_path):
    path = tmp_path / "in.parquet"
    wide = pa.array([b"x" * 1_000_000, None], pa.binary(1_000_000))
    pq.write_table(pa.table({"text": ["a", "b"], "wide": wide}), path)
    source = open_source(path)
    assert sum(map(len, source.batches(["text"], 10))) == 2
    with pytest.raises(UnreadableColumnError, match="'wide' of 1,000,000 bytes a value"):
        next(source.batches(["text", "wide"], 10))
