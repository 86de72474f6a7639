"""Columns of a file as each tool reads them: their types, and their values as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import fastparquet
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
from system.roundtrip.other_releases import run_spark

#: A column's type and values, or that the tool does not read it.
Column = tuple[str, ...] | str
Read = Callable[[Path, list[str]], dict[str, Column]]


def one_by_one(read: Callable[[Path, str], Column]) -> Read:
    """Reads each column alone: what a tool does not know must not hide the others."""

    def reading(path: Path, names: list[str]) -> dict[str, Column]:
        found = {}
        for name in names:
            try:
                found[name] = read(path, name)
            # Each tool has errors of its own, and polars panics.
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                found[name] = "not read"
        return found

    return reading


def _arrow(path: Path, name: str) -> Column:
    table = pq.read_table(path, columns=[name], partitioning=None, coerce_int96_timestamp_unit="us")
    column = table.column(name)
    return str(column.type), repr(column.to_pylist())


def _pandas(path: Path, name: str) -> Column:
    frame = pd.read_parquet(path, columns=[name])
    column = frame.reset_index()[name]
    return str(column.dtype), repr([_plain(value) for value in column.tolist()])


def _plain(value: object) -> object:
    return value.tolist() if hasattr(value, "tolist") else value


def _polars(path: Path, name: str) -> Column:
    column = pl.read_parquet(path, columns=[name])[name]
    return str(column.dtype), repr(column.to_list())


def _duckdb(path: Path, name: str) -> Column:
    column = duckdb.sql(f"select \"{name}\" from '{path}'")
    return str(column.types[0]), repr([row[0] for row in column.fetchall()])


def _fastparquet(path: Path, name: str) -> Column:
    column = fastparquet.ParquetFile(str(path)).to_pandas(columns=[name], index=False)[name]
    # Whether texts are `str` or `object`, and so what stands for null, depends on their encoding.
    kind = "text" if str(column.dtype) in ("str", "object") else str(column.dtype)
    return kind, repr([None if _is_null(value) else _plain(value) for value in column.tolist()])


def _is_null(value: object) -> bool:
    return isinstance(value, float) and value != value


def spark_columns(files: list[Path], folder: Path) -> dict[Path, dict[str, Column]]:
    """What Spark reads of files, by their paths."""
    asked, told = folder / "files.json", folder / "result.json"
    asked.write_text(json.dumps([str(file) for file in files]))
    run_spark("read", asked, told)
    found = json.loads(told.read_text())
    return {
        Path(file): {
            name: "not read" if values == ["not read"] else tuple(values)
            for name, values in columns.items()
        }
        for file, columns in found.items()
    }


READERS: dict[str, Read] = {
    "pyarrow": one_by_one(_arrow),
    "pandas": one_by_one(_pandas),
    "polars": one_by_one(_polars),
    "duckdb": one_by_one(_duckdb),
    "fastparquet": one_by_one(_fastparquet),
}
