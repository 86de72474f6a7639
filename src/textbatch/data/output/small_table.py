"""Small tables, written whole or not at all, as Parquet or CSV."""

from __future__ import annotations

import csv
import io
import uuid
from pathlib import Path

import pyarrow as pa

from textbatch.data.output.parquet_file import ParquetOutput
from textbatch.data.storage.atomic_file import atomic_file
from textbatch.data.storage.file_io import new_output

#: How a cell begins that a spreadsheet takes for a formula; the wide forms too, in some languages.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def write_table(table: pa.Table, path: Path, *, overwrite: bool) -> None:
    """Write a table.

    Args:
        table: The table. For CSV its columns must not be nested.
        path: The file. It becomes CSV if its name ends in `.csv`, otherwise Parquet. People open
            CSV in spreadsheets, so a text that would be a formula there begins with `'`.
        overwrite: Whether an existing file may be replaced.

    Raises:
        OutputError: The file exists and may not be replaced, or its directory does not exist.
        AccessError: The directory is not writable.
        StorageError: Writing failed. An older file is still there.
    """
    if path.suffix == ".csv":
        _write_csv(table, path, overwrite=overwrite)
        return
    output = ParquetOutput(path, table.schema, run_id=uuid.uuid4().hex[:16], overwrite=overwrite)
    try:
        for batch in table.to_batches():
            output.write(batch)
        output.commit({})
    except BaseException:
        output.abort()
        raise


def _write_csv(table: pa.Table, path: Path, *, overwrite: bool) -> None:
    new_output(path).check(overwrite=overwrite)
    with atomic_file(path) as file:
        text = io.TextIOWrapper(file.buffered, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(map(_harmless, table.column_names))
        columns = [column.to_pylist() for column in table.columns]
        writer.writerows(map(_harmless, row) for row in zip(*columns, strict=True))
        text.detach()


def _harmless(cell: object) -> object:
    """A cell that no spreadsheet runs. Spreadsheets take what follows a `'` for a text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
