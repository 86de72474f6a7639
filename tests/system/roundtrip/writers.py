"""Files as each tool writes them, with a column for each type that it has."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import fastparquet
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from system.roundtrip.arrow_file import MOMENT, columns

from textbatch.data.readers.parquet_readers import PLAIN_TYPES

TEXTS = ["refund my card", "", None, "cannot log in"]


def arrow(path: Path, **options: object) -> None:
    pq.write_table(pa.table(columns()), path, row_group_size=3, **options)


#: Columns because of which Spark reads no column of a file.
NOT_FOR_SPARK = {
    *("float16", "decimal76", "fixed", "time_ms", "time_us", "time_ns", "at_ns", "utc_ns", "null"),
    *("clock", "zoned_clock", "id"),
}


def for_spark(path: Path, write: Callable[[Path], None], **options: object) -> None:
    """A file that Arrow makes of another one, with what Spark reads of it."""
    write(path)
    table = pq.read_table(path, coerce_int96_timestamp_unit="us", **PLAIN_TYPES)
    names = [name for name in table.column_names if name not in NOT_FOR_SPARK]
    pq.write_table(table.select(names).replace_schema_metadata(), path, **options)


def arrow_int96(path: Path) -> None:
    """Spark's and Impala's old timestamps, with years that nanoseconds cannot count."""
    table = pa.table(columns())
    far = pa.array([dt.datetime(9999, 12, 31), dt.datetime(1, 1, 1), None, dt.datetime(1969, 1, 1)])
    deep = pa.array([[{"at": moment}] for moment in far.to_pylist()])
    table = table.append_column("far", far).append_column("deep", deep)
    names = [name for name in table.column_names if not name.endswith("_ns")]
    pq.write_table(table.select(names), path, use_deprecated_int96_timestamps=True)


def arrow_delta(path: Path) -> None:
    """What Arrow calls version 2: delta encodings, and data pages of the second kind."""
    texts = {"string", "large_string", "binary", "large_binary", "text"}
    leaves = {"list.list.element", "struct.tags.list.element", "map.key_value.key"}
    table = pa.table(columns()).drop_columns(["category", "ordered", "words"])
    pq.write_table(
        table,
        path,
        use_dictionary=False,
        column_encoding=dict.fromkeys(texts | leaves, "DELTA_BYTE_ARRAY"),
        data_page_version="2.0",
        row_group_size=3,
    )


def arrow_extensions(path: Path) -> None:
    words = pa.array(['{"a": 1}', "[]", None, '"x"'])
    ids = pa.array([bytes(range(16)), None] * 2, pa.binary(16))
    table = pa.table(
        {
            "text": TEXTS,
            "json": pa.ExtensionArray.from_storage(pa.json_(), words),
            "uuid": pa.ExtensionArray.from_storage(pa.uuid(), ids),
            "view": words.cast(pa.string_view()),
            "bytes_view": words.cast(pa.binary_view()),
        }
    )
    pq.write_table(table, path)


def pandas_frame(path: Path) -> None:
    frame = pd.DataFrame(
        {
            "text": TEXTS,
            "int": [1, 2, 3, 4],
            "nullable": pd.array([1, None, 3, 4], dtype="Int32"),
            "flags": pd.array([True, None, False, True], dtype="boolean"),
            "float": [0.5, np.nan, np.inf, 1.0],
            "category": pd.Categorical(["a", "b", None, "a"], categories=["b", "a"], ordered=True),
            "at": pd.to_datetime(
                [dt.datetime(2024, 1, 1), None, dt.datetime(1969, 12, 31, 23), MOMENT]
            ),
            "zone": pd.date_range("2024-01-01", periods=4, tz="Europe/Paris"),
            "span": pd.to_timedelta([1, None, 3, 4], unit="h"),
            "object": [b"x", None, b"", b"y"],
            "lists": [[1, 2], [], None, [3]],
            "code": [decimal.Decimal("1.50"), None, decimal.Decimal("2.00"), None],
            "day": [dt.date(2024, 1, 1), None, dt.date(9999, 12, 31), dt.date(1, 1, 1)],
        },
        index=pd.Index(["r1", "r2", "r3", "r4"], name="row"),
    )
    frame.to_parquet(path)


def polars_frame(path: Path) -> None:
    moment = MOMENT
    frame = pl.DataFrame(
        {
            "text": TEXTS,
            "i8": pl.Series([1, None, -128, 127], dtype=pl.Int8),
            "u64": pl.Series([0, None, 2**64 - 1, 1], dtype=pl.UInt64),
            "f32": pl.Series([0.5, None, float("nan"), 1.0], dtype=pl.Float32),
            "cat": pl.Series(["a", "b", None, "a"], dtype=pl.Categorical),
            "enum": pl.Series(["lo", "hi", None, "lo"], dtype=pl.Enum(["lo", "hi"])),
            "day": [dt.date(2024, 1, 1), None, dt.date(9999, 12, 31), dt.date(1, 1, 1)],
            "clock": [dt.time(1, 2, 3, 4), None, dt.time(23, 59), dt.time(0)],
            "at_ms": pl.Series([moment, None, moment, moment], dtype=pl.Datetime("ms")),
            "at_us": pl.Series([moment, None, moment, moment], dtype=pl.Datetime("us", "UTC")),
            "at_ns": pl.Series([moment, None, moment, moment], dtype=pl.Datetime("ns")),
            "span": pl.Series([dt.timedelta(1), None, dt.timedelta(-2), dt.timedelta(0)]),
            "code": pl.Series(["1.50", None, "-2.25", "0.00"]).cast(pl.Decimal(10, 2)),
            "bytes": [b"x", None, b"", b"\xff"],
            "list": [["x"], None, [], ["y", None]],
            "array": pl.Series([[1, 2], None, [3, 4], [5, 6]], dtype=pl.Array(pl.Int32, 2)),
            "struct": [
                {"a": "x", "at": moment},
                None,
                {"a": None, "at": None},
                {"a": "", "at": moment},
            ],
            "null": pl.Series([None] * 4, dtype=pl.Null),
        }
    )
    frame.write_parquet(path)


MOMENTS = ["2024-01-01 01:02:03.456789", None, "9999-12-31", "0001-01-01"]
DAYS = ["2024-01-01 01:02:03", None, "2024-01-01", "1969-12-31"]
#: Columns of DuckDB: a type, and a value in each row as SQL or as a text that is cast.
DUCKDB: dict[str, tuple[str, list[str | None]]] = {
    "text": ("varchar", TEXTS),
    "tiny": ("tinyint", ["1", None, "-128", "127"]),
    "ubig": ("ubigint", ["0", None, str(2**64 - 1), "1"]),
    "flag": ("boolean", ["true", None, "false", "true"]),
    "number": ("double", ["0.5", None, "nan", "-inf"]),
    "small_code": ("decimal(4, 2)", ["1.5", None, "-2.25", "0"]),
    "code": ("decimal(38, 10)", ["1.5", None, "-2.25", "0"]),
    "choice": ("enum('a', 'b')", ["a", None, "b", "a"]),
    "bytes": ("blob", ["\\xFF", None, "", "x"]),
    "day": ("date", ["2024-01-01", None, "9999-12-31", "0001-01-01"]),
    "clock": ("time", ["01:02:03.000004", None, "23:59:59", "00:00:00"]),
    "zoned_clock": ("timetz", ["01:02:03+02", None, "23:59:59-08", "00:00:00+00"]),
    "at": ("timestamp", MOMENTS),
    "zoned": ("timestamptz", MOMENTS),
    "at_s": ("timestamp_s", DAYS),
    "at_ms": ("timestamp_ms", DAYS),
    "at_ns": ("timestamp_ns", ["2024-01-01 01:02:03.456789012", *DAYS[1:]]),
    "id": ("uuid", ["00112233-4455-6677-8899-aabbccddeeff", None, None, None]),
    "doc": ("json", ['{"a": [1]}', None, "[]", '"x"']),
    "bits": ("bit", ["1010", None, "0", "1"]),
    "lists": ("varchar[][]", ["[[a, null]]", None, "[]", "[null, []]"]),
    "pair": ("struct(a int, b date)", ["{a: 1, b: 9999-12-31}", None, "{a: null, b: null}", None]),
    "entries": ("map(varchar, int)", ["{k=1}", None, "{}", "{l=null}"]),
    "array": ("int[2]", ["[1, 2]", "[0, 0]", "[3, null]", "[4, 5]"]),
}


#: Spans of time, because of which polars reads no column of a file.
SPANS: dict[str, tuple[str, list[str | None]]] = {
    "text": ("varchar", TEXTS),
    "span": ("interval", ["3 days 2 hours", None, "1 month", "1 millisecond"]),
    "spans": ("interval[]", ["[1 day, null]", None, "[]", "[2 hours]"]),
    "pair": ("struct(a int, b interval)", ["{a: 1, b: 1 day}", None, "{a: null, b: null}", None]),
}


def duckdb_rows(columns: Mapping[str, tuple[str, list[str | None]]]) -> str:
    """The query that makes columns."""
    parts = []
    for name, (kind, values) in columns.items():
        cells = ["null" if value is None else f"'{value}'::{kind}" for value in values]
        parts.append(f"unnest([{', '.join(cells)}]::{kind}[]) as {name}")
    return f"select {', '.join(parts)}"


def duckdb_v1(path: Path) -> None:
    duckdb.sql(f"copy ({duckdb_rows(DUCKDB)}) to '{path}' (format parquet)")


def duckdb_v2(path: Path) -> None:
    duckdb.sql(f"copy ({duckdb_rows(DUCKDB)}) to '{path}' (format parquet, parquet_version v2)")


def duckdb_spans(path: Path) -> None:
    duckdb.sql(f"copy ({duckdb_rows(SPANS)}) to '{path}' (format parquet)")


def fastparquet_file(path: Path, times: str = "int64") -> None:
    frame = pd.DataFrame(
        {
            "text": ["refund my card", "", "x", "cannot log in"],
            "int": [1, 2, 3, 4],
            "nullable": pd.array([1, None, 3, 4], dtype="Int64"),
            "float": [0.5, np.nan, np.inf, 1.0],
            "flag": [True, False, True, False],
            "bytes": [b"x", b"", b"\xff", b"y"],
            "at": pd.date_range("2024-01-01", periods=4),
            "span": pd.to_timedelta([1, 2, 3, 4], unit="h"),
            "category": pd.Categorical(["a", "b", "a", "b"]),
        }
    )
    if times == "int96":  # then Spark reads it: it knows no spans, which become times of day
        frame = frame.drop(columns="span")
    fastparquet.write(
        str(path), frame, times=times, object_encoding={"text": "utf8", "bytes": "bytes"}
    )


WRITERS = {
    "arrow": arrow,
    "arrow without schema": lambda path: arrow(path, store_schema=False),
    "arrow int96": arrow_int96,
    "arrow delta": arrow_delta,
    **({"arrow extensions": arrow_extensions} if hasattr(pa, "json_") else {}),
    "arrow lz4": lambda path: arrow(path, compression="lz4", use_dictionary=False),
    "pandas": pandas_frame,
    "polars": polars_frame,
    "duckdb v1": duckdb_v1,
    "duckdb v2": duckdb_v2,
    "duckdb spans": duckdb_spans,
    "arrow for spark": lambda path: for_spark(path, arrow),
    "arrow int96 for spark": lambda path: for_spark(
        path, arrow_int96, use_deprecated_int96_timestamps=True
    ),
    "duckdb for spark": lambda path: for_spark(path, duckdb_v1),
    "polars for spark": lambda path: for_spark(path, polars_frame),
    "fastparquet": fastparquet_file,
    "fastparquet int96": lambda path: fastparquet_file(path, "int96"),
}
