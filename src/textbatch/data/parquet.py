"""Parquet input, streamed with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.errors import DataError, storage_errors

#: Without these two settings Arrow holds the whole file (arrow#39808).
_READ_BUFFER_BYTES = 1 << 20


class ParquetSource:
    """One Parquet file; see `source.Source`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path, "cannot read"):
            _check_magic(path)
            try:
                self._file = pq.ParquetFile(
                    path,
                    pre_buffer=False,
                    buffer_size=_READ_BUFFER_BYTES,
                    page_checksum_verification=True,
                )
                self.schema: pa.Schema = self._file.schema_arrow
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise DataError(f"{path} has a damaged Parquet footer", _REWRITE) from error
        self.metadata: dict[bytes, bytes] | None = self._file.metadata.metadata
        self.num_rows: int | None = self._file.metadata.num_rows

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`."""
        row = 0
        try:
            # A name with a dot selects nested fields, so all of a file's columns go as None.
            wanted = None if list(columns) == self.schema.names else list(columns)
            stream = self._file.iter_batches(max_rows, columns=wanted, use_threads=False)
            for batch in stream:
                row += batch.num_rows
                yield batch.select(list(columns))
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            # Arrow reports damaged pages as OSError without errno.
            if isinstance(error, OSError) and error.errno:
                with storage_errors(self.path, "cannot read"):
                    raise
            raise DataError(f"{self.path} is damaged after row {row}", _REWRITE) from error
        if row != self.num_rows:
            raise DataError(
                f"{self.path} holds {row} rows where its footer says {self.num_rows}", _REWRITE
            )

    def progress(self) -> float | None:
        """None: the footer tells the rows."""
        return None


_REWRITE = "write the file again from its source"


def _check_magic(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(-min(4, path.stat().st_size), 2)
        tail = file.read(4)
    if tail == b"PARE" or head == b"PARE":
        raise DataError(f"{path} is encrypted Parquet", "decrypt it first")
    if head != b"PAR1":
        raise DataError(f"{path} is not Parquet", "if it is text, give --format csv or jsonl")
    if tail != b"PAR1":
        raise DataError(f"{path} is truncated or still being written", "wait for it, or rewrite it")
