"""Small tables, written whole or not at all: Parquet or CSV by the file's name."""

from __future__ import annotations

import csv
import os
import uuid
from pathlib import Path

import pyarrow as pa

from textbatch.data.output.parquet_file import ParquetOutput, check_output
from textbatch.errors import OutputError, storage_errors


def write_table(table: pa.Table, path: Path, *, overwrite: bool) -> None:
    """Write a table.

    Args:
        table: For CSV, of plain columns.
        path: CSV where it ends so, else Parquet.
        overwrite: Whether an existing file may be replaced.

    Raises:
        OutputError: The file exists and may not be replaced, or its directory does not exist.
        AccessError: The directory is not writable.
        StorageError: Writing failed; an older file is still there.
    """
    if path.suffix == ".csv":
        _write_csv(table, path, overwrite=overwrite)
        return
    output = ParquetOutput(path, table.schema, run_id=uuid.uuid4().hex[:8], overwrite=overwrite)
    try:
        for batch in table.to_batches():
            output.write(batch)
        output.commit({})
    except BaseException:
        output.abort()
        raise


def _write_csv(table: pa.Table, path: Path, *, overwrite: bool) -> None:
    check_output(path, overwrite=overwrite)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    with storage_errors(path, "cannot write", missing=OutputError):
        try:
            with temporary.open("x", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(table.column_names)
                columns = [column.to_pylist() for column in table.columns]
                writer.writerows(zip(*columns, strict=True))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
