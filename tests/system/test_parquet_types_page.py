"""`docs/parquet-types.md` says of each type what comes of it: each row of its table is tried."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.source import open_source
from textbatch.data.readers.text_column import check_text_type
from textbatch.errors import DataError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

PAGE = Path(__file__).parents[2] / "docs" / "parquet-types.md"
MOMENT = dt.datetime(2024, 2, 29, 12, 30, 1, 500000)
Writer = Callable[[Path], None]


def arrow(values: list[object], kind: pa.DataType, **options: object) -> Writer:
    def write(path: Path) -> None:
        table = pa.table({"body": ["refund", "login"], "x": pa.array(values, kind)})
        pq.write_table(table, path, **options)

    return write


def duck(value: str) -> Writer:
    def write(path: Path) -> None:
        rows = f"select 'refund' as body, {value} as x"
        duckdb.sql(f"copy ({rows} union all select 'login', null) to '{path}' (format parquet)")

    return write


def int128(path: Path) -> None:
    pl.DataFrame({"body": ["a"], "x": pl.Series([1], dtype=pl.Int128)}).write_parquet(path)


TYPES: dict[str, Writer] = {
    "string": arrow(["a", None], pa.string()),
    "large string": arrow(["a", None], pa.large_string()),
    "string view": arrow(["a", None], pa.string_view()),
    "dictionary of strings": arrow(["a", None], pa.dictionary(pa.int32(), pa.string())),
    "JSON": duck("'{}'::json"),
    "ENUM, as DuckDB writes it": duck("'x'::enum('x', 'y')"),
    "binary": arrow([b"a", None], pa.binary()),
    "binary of one length": arrow([b"ab", None], pa.binary(2)),
    "UUID": duck("'00000000-0000-0000-0000-000000000001'::uuid"),
    "boolean": arrow([True, None], pa.bool_()),
    "integer, 8 to 64 bits": arrow([1, None], pa.int32()),
    "unsigned integer": arrow([2**64 - 1, None], pa.uint64()),
    "integer of 128 bits": int128,
    "float, 16 to 64 bits": arrow([1.5, None], pa.float32()),
    "decimal": arrow([decimal.Decimal("1.50"), None], pa.decimal128(10, 2)),
    "date": arrow([MOMENT.date(), None], pa.date32()),
    "timestamp": arrow([MOMENT, None], pa.timestamp("us")),
    "timestamp in nanoseconds": arrow([1, None], pa.timestamp("ns")),
    "timestamp with a zone": arrow([MOMENT, None], pa.timestamp("ms", "Europe/Paris")),
    "INT96": arrow([MOMENT, None], pa.timestamp("us"), use_deprecated_int96_timestamps=True),
    "time": arrow([MOMENT.time(), None], pa.time64("us")),
    "time with a zone": duck("timetz '10:00:00+02'"),
    "duration": arrow([dt.timedelta(1), None], pa.duration("us")),
    "INTERVAL": duck("interval '3 days'"),
    "list of strings": arrow([["a", None], None], pa.list_(pa.string())),
    "list of numbers": arrow([[1, None], None], pa.large_list(pa.int64())),
    "list of one length": arrow([[1, 2], None], pa.list_(pa.int64(), 2)),
    "array of DuckDB with nulls": duck("[1, 2]::int[2]"),
    "struct": arrow([{"a": 1, "b": "x"}, None], pa.struct([("a", pa.int64()), ("b", pa.string())])),
    "map": arrow([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
    "null": arrow([None, None], pa.null()),
}


def rows_of_the_page() -> dict[str, list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    return {row[0]: row[1:] for row in cells if not row[0].startswith("---")}


def outcome(source: Path, model: Path, name: str) -> str:
    """What comes of the column in an output: kept, another type, or refused."""
    output = source.with_name(name)
    config = {"inputs": (source,), "output": output, "model": model, "text_column": "body"}
    try:
        score(ScoreConfig(**config, strict_types=True))
    except DataError:
        try:
            score(ScoreConfig(**config))
        except DataError:
            return "refused"
        return "microseconds" if name == "out.parquet" else "text"
    return "kept"


def as_text(source: Path) -> str:
    kind = open_source(source).schema.field("x").type
    for join_lists, told in ((None, "yes"), (" ", "`--join-lists`")):
        try:
            check_text_type(kind, "", join_lists)
        except DataError:
            continue
        return told
    return "no"


def test_the_page_has_a_row_for_each_type():
    assert list(rows_of_the_page()) == list(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_each_row_is_what_happens(name, model, tmp_path):
    source = tmp_path / "in.parquet"
    TYPES[name](source)
    outputs = ("out.parquet", "out.jsonl", "out.csv")
    found = [outcome(source, model, output) for output in outputs]
    assert [*found, as_text(source)] == rows_of_the_page()[name]
    if found[0] != "refused":
        before, after = (pq.read_table(source.with_name(one)) for one in ("in.parquet", outputs[0]))
        assert after["x"].to_pylist() == before["x"].to_pylist()
        assert after["x"].type == before["x"].type or found[0] != "kept"
