"""A Parquet file by pyarrow with a column of each type, for any release of it since 18.

python arrow_file.py FILE
"""

from __future__ import annotations

import datetime as dt
import decimal
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from numpy import float16 as half  # Arrow 18 makes halves of no other numbers

NAN, INFINITE = float("nan"), float("inf")
DAY, MOMENT = dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 12, 30, 15, 123_456)
LONG_AGO, FAR = dt.date(1, 1, 1), dt.date(9999, 12, 31)


def times(unit: str, zone: str | None = None) -> pa.Array:
    seconds = [0, -1, 1_709_209_815, None]
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    counts = [None if s is None else s * factor + (factor > 1) * 7 for s in seconds]
    return pa.array(counts, pa.int64()).cast(pa.timestamp(unit, zone))


def columns() -> dict[str, pa.Array]:
    """Columns of four rows."""
    words = ["x", "", "é\0😀", None]
    code = decimal.Decimal("-12345678901234567890.12345")
    point = pa.struct([("x", pa.float64()), ("tags", pa.list_(pa.string()))])
    word = pa.dictionary(pa.int32(), pa.string())
    integers = {
        f"{sign}int{bits}": pa.array(
            [0, 2 ** (bits - 1) - 1, 2**bits - 1 if sign else -(2 ** (bits - 1)), None],
            getattr(pa, f"{sign}int{bits}")(),
        )
        for bits in (8, 16, 32, 64)
        for sign in ("", "u")
    }
    return {
        "text": pa.array(["refund my card", "", None, "cannot log in"]),
        "bool": pa.array([True, False, None, True]),
        **integers,
        "float16": pa.array([half(0.5), half(-0.0), None, half(1.5)], pa.float16()),
        "float32": pa.array([0.1, NAN, -INFINITE, None], pa.float32()),
        "float64": pa.array([0.1, NAN, -0.0, None]),
        "decimal4": pa.array([decimal.Decimal("1.5"), None] * 2, pa.decimal128(4, 1)),
        "decimal38": pa.array([code, None] * 2, pa.decimal128(38, 5)),
        "decimal76": pa.array([code, None] * 2, pa.decimal256(76, 5)),
        "string": pa.array(words),
        "large_string": pa.array(words, pa.large_string()),
        "binary": pa.array([b"\xff\0", b"", None, b"x"]),
        "large_binary": pa.array([b"\xff\0", b"", None, b"x"], pa.large_binary()),
        "fixed": pa.array([b"abc", b"\0\0\0", None, b"xyz"], pa.binary(3)),
        "category": pa.array(words).cast(word),
        "ordered": pa.array(words).cast(pa.dictionary(pa.int8(), pa.string(), ordered=True)),
        "date": pa.array([DAY, LONG_AGO, FAR, None]),
        "date64": pa.array([DAY, None] * 2, pa.date64()),
        "time_ms": pa.array([dt.time(1, 2, 3, 4000), None] * 2, pa.time32("ms")),
        "time_us": pa.array([dt.time(23, 59, 59, 999_999), None] * 2, pa.time64("us")),
        "time_ns": pa.array([86_399_999_999_999, None] * 2, pa.time64("ns")),
        **{f"at_{unit}": times(unit) for unit in ("s", "ms", "us", "ns")},
        "utc_us": times("us", "UTC"),
        "paris_us": times("us", "Europe/Paris"),
        "utc_ns": times("ns", "UTC"),
        "duration": pa.array([1, -1, None, 10**12], pa.duration("us")),
        "null": pa.nulls(4),
        "list": pa.array([["a", None], [], None, ["b"]]),
        "large_list": pa.array([[1, None], [], None, [2]], pa.large_list(pa.int64())),
        "fixed_list": pa.array([[1, 2], [3, None], None, [5, 6]], pa.list_(pa.int32(), 2)),
        "struct": pa.array([{"x": 1.5, "tags": ["t"]}, {"x": None, "tags": None}, None, {}], point),
        "structs": pa.array([[{"x": 1.5, "tags": []}], [], None, [None]], pa.list_(point)),
        "map": pa.array(
            [[("k", 1), ("l", None)], [], None, [("m", 2)]], pa.map_(pa.string(), pa.int64())
        ),
        "words": pa.array([["a", "b"], ["a"], None, []], pa.list_(word)),
        "days": pa.array([[DAY], [FAR, None], None, []]),
        "moments": pa.array([{"at": MOMENT}, {"at": None}, None, {"at": MOMENT}]),
        "lists": pa.array([[[1], []], [None], None, []], pa.list_(pa.list_(pa.int8()))),
    }


if __name__ == "__main__":
    pq.write_table(pa.table(columns()), sys.argv[1], row_group_size=3)
