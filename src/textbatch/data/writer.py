"""Parquet output that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.errors import AccessError, OutputError, StorageError, storage_errors

#: Row groups are cut by these, not by the job's chunks: a small chunk must not make small ones.
ROW_GROUP_ROWS = 131_072
ROW_GROUP_BYTES = 64 << 20


class ParquetOutput:
    """Writes beside the output's final place and moves it there in one step.

    Never used as a context manager's body of `pq.ParquetWriter`: that one publishes a valid,
    shorter file when the body raises. Call `commit` at the end or `abort` on any failure.
    """

    def __init__(self, path: Path, schema: pa.Schema, *, run_id: str, overwrite: bool) -> None:
        """Create the temporary file, so that a place that cannot be written to shows now.

        Raises:
            OutputError: The output exists, or its directory does not.
            AccessError: The directory is not writable.
        """
        self.path = path
        self._overwrite = overwrite
        check_output(path, overwrite=overwrite)
        self._temporary = path.with_name(f".{path.name}.{run_id}.tmp")
        with storage_errors(path, "cannot create", missing=OutputError):
            # O_EXCL: a link planted under the temporary name is not followed.
            descriptor = os.open(self._temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        self._sink = os.fdopen(descriptor, "wb")
        self._writer = pq.ParquetWriter(
            self._sink, schema, compression="zstd", write_page_checksum=True
        )
        self._schema = schema
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0
        self.rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows.

        Raises:
            StorageError: The disk is full or failing.
        """
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        self.rows += batch.num_rows
        if self._waiting_rows >= ROW_GROUP_ROWS or self._waiting_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def commit(self, metadata: Mapping[str, str]) -> None:
        """Finish the file, check it, and put it in its place.

        Args:
            metadata: Entries for the file's footer.

        Raises:
            StorageError: Writing failed, or the finished file does not hold what was written.
            OutputError: Another process made the output meanwhile.
        """
        self._flush()
        with storage_errors(self.path, "cannot write", missing=OutputError):
            self._writer.add_key_value_metadata(dict(metadata))
            self._writer.close()
            self._sink.flush()
            os.fsync(self._sink.fileno())
            self._sink.close()
            with self._temporary.open("rb") as file:
                found = pq.read_metadata(file).num_rows
            if found != self.rows:
                raise StorageError(
                    f"{self.path} holds {found} rows of {self.rows} after writing",
                    "check the disk, then run again",
                )
            check_output(self.path, overwrite=self._overwrite)
            self._temporary.replace(self.path)
            _fsync_directory(self.path.parent)

    def abort(self) -> None:
        """Drop what was written; the output's old state stays."""
        # The sink first, so that closing the writer cannot write a footer to it.
        for close in (self._sink.close, self._writer.close):
            with contextlib.suppress(OSError, ValueError, pa.ArrowException):
                close()
        with contextlib.suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._waiting:
            return
        table = pa.Table.from_batches(self._waiting, self._schema)
        with storage_errors(self.path, "cannot write", missing=OutputError):
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self._waiting = []
        self._waiting_rows = self._waiting_bytes = 0


def check_output(path: Path, *, overwrite: bool) -> None:
    """Check that an output may be made at a place.

    Raises:
        OutputError: It exists and must not be replaced, is a directory, or has no directory.
        AccessError: Its directory is not writable.
    """
    with storage_errors(path, "cannot look at"):
        if path.is_dir():
            raise OutputError(f"{path} is a directory", "name a file")
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists", "add --overwrite to replace it")
        if not path.parent.is_dir():
            raise OutputError(f"there is no directory {path.parent}", "create it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise AccessError(f"cannot write in {path.parent}", "check the permissions")


def _fsync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
