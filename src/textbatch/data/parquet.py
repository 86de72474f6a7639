"""Parquet input, streamed with bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.errors import DataError, storage_errors

#: Without these two settings Arrow holds the whole file (arrow#39808).
_READ_BUFFER_BYTES = 1 << 20
#: Row groups are read together up to this size: decoded plainly, no batch of them is larger.
_RUN_BYTES = 64 << 20
#: A larger row group is read in batches of this size on average. Long texts may stand together,
#: so that the rows are bounded as well.
_LARGE_GROUP_BATCH_BYTES, _LARGE_GROUP_BATCH_ROWS = 4 << 20, 1024


class ParquetSource:
    """One Parquet file; see `source.Source`. Its text columns may come dictionary-encoded."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path, "cannot read"):
            _check_magic(path)
            try:
                # By its bytes: Arrow takes no name that is not UTF-8.
                file = pa.OSFile(os.fsencode(path), "rb")
                footer = pq.ParquetFile(file)
                self.schema: pa.Schema = footer.schema_arrow
                self._file = pq.ParquetFile(
                    file,
                    metadata=footer.metadata,
                    pre_buffer=False,
                    buffer_size=_READ_BUFFER_BYTES,
                    page_checksum_verification=True,
                    read_dictionary=_text_columns(footer),
                )
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                # Arrow reports a damaged footer as OSError without errno.
                if isinstance(error, OSError) and error.errno:
                    raise
                raise DataError(f"{path} has a damaged Parquet footer", _REWRITE) from error
        self.metadata: dict[bytes, bytes] | None = self._file.metadata.metadata
        self.num_rows: int | None = self._file.metadata.num_rows

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`."""
        row = 0
        try:
            # A name with a dot selects nested fields, so all of a file's columns go as None.
            wanted = None if list(columns) == self.schema.names else list(columns)
            for row_groups, batch_rows in self._runs(max_rows):
                stream = self._file.iter_batches(
                    batch_rows, row_groups=row_groups, columns=wanted, use_threads=False
                )
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

    def _runs(self, max_rows: int) -> Iterator[tuple[list[int], int]]:
        """Row groups to read together, and the rows of a batch that keep it small."""
        run: list[int] = []
        run_bytes = 0
        for index in range(self._file.metadata.num_row_groups):
            group = self._file.metadata.row_group(index)
            if run and run_bytes + group.total_byte_size > _RUN_BYTES:
                yield run, max_rows
                run, run_bytes = [], 0
            if group.total_byte_size > _RUN_BYTES:
                small = group.num_rows * _LARGE_GROUP_BATCH_BYTES // group.total_byte_size
                yield [index], max(1, min(max_rows, small, _LARGE_GROUP_BATCH_ROWS))
                continue
            run.append(index)
            run_bytes += group.total_byte_size
        if run:
            yield run, max_rows


def _text_columns(file: pq.ParquetFile) -> list[str]:
    """Columns to read as dictionaries, which keeps a repeated long text from being repeated.

    Not those that are large in one row group: as a dictionary, Arrow would hold them whole.
    """
    kinds = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
    groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
    large = {
        chunk.path_in_schema
        for group in groups
        if group.total_byte_size > _RUN_BYTES
        for chunk in map(group.column, range(group.num_columns))
        if chunk.total_uncompressed_size > _RUN_BYTES
    }
    return [f.name for f in file.schema_arrow if f.type in kinds and f.name not in large]


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
