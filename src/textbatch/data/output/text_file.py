"""CSV and JSON Lines output that appears whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.json_text import json_text
from textbatch.data.output.cell_values import NoTextError, check_has_text, json_values
from textbatch.data.output.compressor import Compressor
from textbatch.data.output.csv_rows import CsvRows
from textbatch.data.output.json_rows import JsonRows
from textbatch.data.output.output_format import OutputFormat
from textbatch.data.output.output_writer import OutputWriter
from textbatch.data.output.seal_record import COLUMNS, SealRecord, record_of
from textbatch.data.output.work_directory import owner_of
from textbatch.data.readers.column_names import shown
from textbatch.data.storage.file_io import new_output
from textbatch.errors import DataError, OutputError, StorageError, storage_errors
from textbatch.failpoints import failpoint

_REMEDY = "leave it out with --columns, or write .parquet"
#: Rows that are turned into text at a time, so that long texts are not held twice.
_STEP_ROWS = 16_384


def check_columns(schema: pa.Schema, file: object) -> None:
    """Check that every column can be written as text.

    Args:
        schema: The columns.
        file: The input, for the message.

    Raises:
        DataError: One cannot.
    """
    for field in schema:
        try:
            check_has_text(field.type)
        except NoTextError as error:
            raise DataError(f"{file} column {shown(field.name)} {error}", _REMEDY) from error


class TextOutput(OutputWriter):
    """Writes CSV or JSON Lines; the seal is in a record beside it."""

    def __init__(
        self,
        path: Path,
        schema: pa.Schema,
        format: OutputFormat,  # noqa: A002 - what it is
        *,
        run_id: str,
        overwrite: bool,
        quote_empty: bool,
    ) -> None:
        """Create the temporary file; see `OutputWriter`.

        Args:
            path: The final path.
            schema: The columns.
            format: CSV or JSON Lines, and its compression.
            run_id: Id of this run, for the name of the temporary file.
            overwrite: Whether an existing file may be replaced.
            quote_empty: Whether CSV tells empty texts from nulls; see `CsvRows`.

        Raises:
            OutputError: The output exists, or its directory does not; or a directory has the name
                of its record.
            AccessError: The directory is not writable.
        """
        new_output(record_of(path)).check()
        super().__init__(path, run_id=run_id, overwrite=overwrite)
        self._schema, self._kind = schema, format.kind
        self._rows: CsvRows | JsonRows = JsonRows(schema)
        if format.kind == "csv":
            self._rows = CsvRows(schema, delimiter=format.delimiter, quote_empty=quote_empty)
        self._to = Compressor(self._file.buffered, format.codec)
        self._without_number: dict[str, int] = {}
        self._to.write(self._rows.header())

    @property
    def notes(self) -> list[str]:
        """Columns with numbers that JSON does not have."""
        return [
            f"column {shown(name)}: {count:,} values are NaN or infinite, which JSON does not "
            "have; they are null"
            for name, count in self._without_number.items()
        ]

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows; see `OutputWriter`."""
        for start in range(0, batch.num_rows, _STEP_ROWS):
            step = batch.slice(start, _STEP_ROWS)
            if self._kind == "jsonl":
                self._count_without_number(step)
            try:
                self._put(self._rows.encode(step))
            except NoTextError as error:
                name = shown(self._without_text(step))
                raise DataError(f"column {name} {error}", _REMEDY) from error
        self.rows += batch.num_rows

    def abort(self) -> None:
        """Drop what was written. The old output stays as it was."""
        self._file.discard()
        with contextlib.suppress(OSError, ValueError, pa.ArrowException):
            self._to.drop()

    def _finish(self, metadata: Mapping[str, str]) -> None:
        self._to.finish()
        self._file.buffered.flush()
        kinds = {field.name: str(field.type) for field in self._schema}
        self._record = SealRecord({**metadata, COLUMNS: json_text(kinds)}, self._file.sha256)
        self.seal = self._record.seal

    def _check(self) -> None:
        size = self._file.path.stat().st_size
        if size != self._file.tell():
            raise StorageError(
                f"{self.path} holds {size} bytes of {self._file.tell()} after writing",
                "check the disk, then run again",
            )

    def _write_record(self) -> None:
        self._record.write(self.path, owner=owner_of(self.path))
        failpoint("record-written")

    def _put(self, data: bytes) -> None:
        with storage_errors(self.path, "cannot write", missing=OutputError):
            self._to.write(data)
            failpoint("rows-written")

    def _without_text(self, batch: pa.RecordBatch) -> str:
        """The first column with a value that has no text."""
        for name, column in zip(self._schema.names, batch.columns, strict=True):
            try:
                json_values(column)
            except NoTextError:
                return str(name)
        return ""

    def _count_without_number(self, batch: pa.RecordBatch) -> None:
        for name, column in zip(self._schema.names, batch.columns, strict=True):
            if pa.types.is_floating(column.type) and not pa.types.is_float16(column.type):
                finite = pc.sum(pc.is_finite(column)).as_py() or 0
                if count := len(column) - column.null_count - finite:
                    self._without_number[name] = self._without_number.get(name, 0) + count
