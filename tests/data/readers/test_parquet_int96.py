from __future__ import annotations

import datetime as dt
import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.arrow import MAJOR

from textbatch.data.readers.chunks import rebatch
from textbatch.data.readers.source import open_source
from textbatch.errors import DataError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

MICRO = pa.timestamp("us")
MOMENTS = [
    dt.datetime(9999, 12, 31, 23, 59, 59, 999_999),
    dt.datetime(1, 1, 1),
    dt.datetime(1600, 2, 29, 12),
    None,
    dt.datetime(2024, 1, 1, 1, 2, 3, 456_789),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999_999),
]


def write(path, columns, **options):
    pq.write_table(pa.table(columns), path, use_deprecated_int96_timestamps=True, **options)
    return path


def everywhere() -> dict[str, pa.Array]:
    """The moments in every place that a column has for them."""
    flat = pa.array(MOMENTS, MICRO)
    maps = [[("k", moment)] for moment in MOMENTS]
    return {
        "text": pa.array(["refund"] * len(MOMENTS)),
        "flat": flat,
        "struct": pa.StructArray.from_arrays([flat, flat], ["a", "b.c"]),
        "list": pa.array([[moment, None] for moment in MOMENTS], pa.list_(MICRO)),
        "map": pa.array(maps, pa.map_(pa.string(), MICRO)),
        "deep": pa.array(
            [[{"q": [m]}] for m in MOMENTS], pa.list_(pa.struct([("q", pa.list_(MICRO))]))
        ),
    }


@pytest.mark.skipif(MAJOR < 23, reason="Arrow before 23 writes moments before 1970 wrongly")
@pytest.mark.parametrize("store_schema", [True, False])
def test_int96_keeps_its_instants_in_every_place_and_year(store_schema, model, tmp_path):
    columns = everywhere()
    source = write(tmp_path / "in.parquet", columns, row_group_size=4, store_schema=store_schema)
    output = tmp_path / "out.parquet"
    report = score(ScoreConfig(inputs=(source,), output=output, model=model))
    found = pq.read_table(output).select(list(columns))
    assert found.to_pydict() == pa.table(columns).to_pydict()
    assert "ns" not in str(found.schema)
    assert report.notes == []
    kinds = {pq.ParquetFile(output).schema.column(i).physical_type for i in range(8)}
    assert "INT96" not in kinds


def test_digits_beyond_the_microsecond_are_told(model, tmp_path):
    nanos = pa.array([1_700_000_000_123_456_789, None], pa.timestamp("ns"))
    source = write(tmp_path / "in.parquet", {"text": ["a", "b"], "at": nanos})
    report = score(ScoreConfig(inputs=(source,), output=tmp_path / "out.parquet", model=model))
    assert report.notes == ["column 'at' of INT96 lost digits beyond the microsecond"]
    found = pq.read_table(tmp_path / "out.parquet")["at"]
    assert found.cast(pa.int64()).to_pylist() == [1_700_000_000_123_456, None]


def test_nanoseconds_that_are_no_int96_keep_their_digits(model, tmp_path):
    nanos = pa.array([1_700_000_000_123_456_789, None], pa.timestamp("ns"))
    pq.write_table(pa.table({"text": ["a", "b"], "at": nanos}), tmp_path / "in.parquet")
    config = ScoreConfig(
        inputs=(tmp_path / "in.parquet",), output=tmp_path / "out.parquet", model=model
    )
    assert score(config).notes == []
    assert pq.read_table(tmp_path / "out.parquet")["at"].chunk(0).equals(nanos)


@pytest.mark.parametrize("nested", [False, True])
def test_years_beyond_what_microseconds_count_are_refused_by_column(nested, tmp_path):
    day = dt.datetime(2024, 1, 1)
    at = pa.array([{"x": day}] * 2) if nested else pa.array([day, day], MICRO)
    path = write(
        tmp_path / "in.parquet",
        {"text": ["a", "b"], "at": at},
        compression="none",
        use_dictionary=False,
        write_statistics=False,
    )
    julian = struct.pack("<i", 2_440_588 + (day - dt.datetime(1970, 1, 1)).days)
    content = path.read_bytes()
    assert content.count(julian) == 2
    far = struct.pack("<i", 2_440_588 + 200_000_000)
    path.write_bytes(far.join(content.rsplit(julian, 1)))
    source = open_source(path)
    with pytest.raises(DataError, match=r"column 'at' of INT96 timestamps, some beyond the years"):
        list(source.batches(["text", "at"], 10))
    assert sum(map(len, source.batches(["text"], 10))) == 2


def test_dates_and_times_inside_other_types_keep_their_values(tmp_path):
    path = tmp_path / "in.parquet"
    far = [dt.date(9999, 12, 31), dt.date(1, 1, 1), None]
    columns = {
        "date": pa.array(far),
        "struct": pa.array([{"d": day} for day in far]),
        "list": pa.array([[day] for day in far]),
        "map": pa.array([[("k", day)] for day in far], pa.map_(pa.string(), pa.date32())),
        "clock": pa.array([dt.time(1, 2, 3, 4)] * 3, pa.time64("us")),
    }
    pq.write_table(pa.table(columns), path)
    source = open_source(path)
    chunks = rebatch(
        source.batches(source.schema.names, 2), source.schema, max_rows=2, max_bytes=1 << 20
    )
    assert pa.Table.from_batches(chunks).equals(pa.table(columns))
