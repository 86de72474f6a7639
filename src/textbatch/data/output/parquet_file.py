"""Parquet output that appears whole or not at all."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.output.output_writer import OutputWriter
from textbatch.data.output.seal import BLANK, SEAL, seal
from textbatch.data.readers.parquet_types import (
    TAIL_BYTES,
    ColumnTypes,
    footer_of,
    tried_types,
    with_types,
)
from textbatch.data.storage.atomic_file import NewFile
from textbatch.errors import OutputError, StorageError, storage_errors
from textbatch.failpoints import failpoint

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: Limits of a row group. The chunks of a job do not matter: small chunks must not make small row
#: groups.
ROW_GROUP_ROWS = 131_072
ROW_GROUP_BYTES = 64 << 20


class ParquetOutput(OutputWriter):
    """Writes a Parquet file; its seal is in its footer.

    `pq.ParquetWriter` is never used in a `with` statement, because it publishes a valid, shorter
    file when the body raises.
    """

    def __init__(
        self,
        path: Path,
        schema: pa.Schema,
        *,
        run_id: str,
        overwrite: bool,
        types: Mapping[str, ColumnTypes] = MappingProxyType({}),
    ) -> None:
        """Create the temporary file; see `OutputWriter`.

        Args:
            path: The final path.
            schema: The columns.
            run_id: Id of this run, for the name of the temporary file.
            overwrite: Whether an existing file may be replaced.
            types: Types of columns that Arrow does not know, for the footer.

        Raises:
            OutputError: The output exists, or its directory does not.
            AccessError: The directory is not writable.
        """
        super().__init__(path, run_id=run_id, overwrite=overwrite)
        self._sink = _FooterKept(self._file.buffered)
        try:
            self._writer = pq.ParquetWriter(
                self._sink,
                schema,
                compression="zstd",
                write_page_checksum=True,
                write_statistics=_with_statistics(schema, types),
            )
        except BaseException:
            self._file.discard()
            raise
        self._schema, self._types = schema, types
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows; see `OutputWriter`."""
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        self.rows += batch.num_rows
        if self._waiting_rows >= ROW_GROUP_ROWS or self._waiting_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def abort(self) -> None:
        """Drop what was written. The old output stays as it was."""
        # The file is dropped first, so that closing the writer cannot write a footer into it.
        self._file.discard()
        with contextlib.suppress(OSError, ValueError, pa.ArrowException):
            self._writer.close()

    def _finish(self, metadata: Mapping[str, str]) -> None:
        self._flush()
        # The place of the seal comes last, after the metadata of the input.
        self._writer.add_key_value_metadata({**metadata, SEAL: BLANK})
        self._sink.keep()
        self._writer.close()
        self._sink.write_footer(self._types)
        self._file.buffered.flush()
        failpoint("footer-written")
        self.seal = seal(self._file)

    def _check(self) -> None:
        try:
            with self._file.path.open("rb") as file:
                found = pq.read_metadata(file).num_rows
        except pa.ArrowException:
            found = 0
        if found != self.rows:
            raise StorageError(
                f"{self.path} holds {found} rows of {self.rows} after writing",
                "check the disk, then run again",
            )

    def _flush(self) -> None:
        if not self._waiting:
            return
        table = pa.Table.from_batches(self._waiting, self._schema)
        with storage_errors(self.path, "cannot write", missing=OutputError):
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))
            failpoint("rows-written")
        self._waiting = []
        self._waiting_rows = self._waiting_bytes = 0


def _with_statistics(schema: pa.Schema, types: Mapping[str, ColumnTypes]) -> bool | list[str]:
    """The leaves for which Arrow may write the smallest and largest value.

    Types that Arrow does not know have an order of their own, or none.
    """
    return tried_types(schema, types).unchanged if types else True


class _FooterKept(io.RawIOBase):
    """Passes bytes on to a file, but keeps the footer until its types are right."""

    def __init__(self, file: io.BufferedWriter[NewFile]) -> None:
        super().__init__()
        self._file = file
        self._kept: bytearray | None = None

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Append bytes, or keep them."""
        if self._kept is None:
            return self._file.write(data)
        self._kept += data
        return memoryview(data).nbytes

    def keep(self) -> None:
        """Keep everything from now on: it is the footer."""
        self._kept = bytearray()

    def write_footer(self, types: Mapping[str, ColumnTypes]) -> None:
        """Write what was kept, with these types of columns in the footer."""
        kept = bytes(self._kept or b"")
        footer = footer_of(kept)
        before, magic = kept[: len(kept) - len(footer) - TAIL_BYTES], kept[-4:]
        if types:
            footer = with_types(footer, types).footer
        self._file.write(before + footer + len(footer).to_bytes(4, "little") + magic)
