"""Parquet input, streamed with bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location
from textbatch.errors import DataError, storage_errors

#: Without these two settings Arrow holds the whole file (arrow#39808).
_READ_BUFFER_BYTES = 1 << 20
#: A remote file whose row groups are all smaller is read row group by row group, in few requests;
#: a larger one column by column, this much at a time.
_JOINED_GROUP_BYTES, _REMOTE_BUFFER_BYTES = 128 << 20, 8 << 20
#: Row groups are read together up to this size.
_RUN_BYTES = 16 << 20
#: A larger row group is read in batches of this size. Long texts may stand together, so that the
#: rows are bounded as well.
_LARGE_GROUP_BATCH_BYTES, _LARGE_GROUP_BATCH_ROWS, _PROBE_ROWS = 4 << 20, 1024, 16

#: A column of a row group that unpacks to more than this, so many times its size, is refused.
_BOMB_BYTES, _BOMB_RATIO = 256 << 20, 1000


class ParquetSource:
    """One Parquet file; see `source.Source`. Its text columns may come dictionary-encoded."""

    def __init__(self, file: InputFile) -> None:
        self.file = file
        self.set_aside: deque[BadRow] = deque()
        remote = file.costs_requests
        with storage_errors(file, "cannot read"):
            if not remote:
                _check_magic(file)
            try:
                opened = file.open_random()
                footer = pq.ParquetFile(opened)
                self.schema: pa.Schema = footer.schema_arrow
                self._plain = _reopened(opened, footer, [], remote=remote)
                texts = _text_columns(self.schema)
                self._dictionaries = _reopened(opened, footer, texts, remote=remote)
            except MemoryError:  # Arrow's is an ArrowException too
                raise
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                # Arrow reports a damaged footer as OSError without errno.
                if isinstance(error, OSError) and error.errno:
                    raise
                raise DataError(f"{file} has a damaged Parquet footer", _REWRITE) from error
        _check_packing(file, footer.metadata)
        self.metadata: dict[bytes, bytes] | None = footer.metadata.metadata
        self.num_rows: int | None = footer.metadata.num_rows

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`."""
        row = 0
        try:
            # A name with a dot selects nested fields, so all of a file's columns go as None.
            wanted = None if list(columns) == self.schema.names else list(columns)
            for file, row_groups, batch_rows in self._runs(wanted, max_rows):
                stream = file.iter_batches(
                    batch_rows, row_groups=row_groups, columns=wanted, use_threads=False
                )
                for batch in stream:
                    _check_indices(batch)
                    row += batch.num_rows
                    yield batch.select(list(columns))
        except MemoryError:  # Arrow's is an ArrowException too
            raise
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            # Arrow reports damaged pages as OSError without errno.
            if isinstance(error, OSError) and error.errno:
                with storage_errors(self.file, "cannot read"):
                    raise
            raise DataError(f"{self.file} is damaged after row {row}", _REWRITE) from error
        if row != self.num_rows:
            raise DataError(
                f"{self.file} holds {row} rows where its footer says {self.num_rows}", _REWRITE
            )

    def progress(self) -> float | None:
        """None: the footer tells the rows."""
        return None

    def _runs(
        self, wanted: list[str] | None, max_rows: int
    ) -> Iterator[tuple[pq.ParquetFile, list[int], int]]:
        """How to read which row groups: together, and with how many rows in a batch.

        Small row groups have their texts read as dictionaries, which keeps a long text that is
        repeated from being repeated in memory. In a large one Arrow would hold a dictionary of
        the whole row group: it is read plainly, in batches that its first rows keep small.
        """
        run: list[int] = []
        run_bytes = 0
        for index in range(self._plain.metadata.num_row_groups):
            size = self._plain.metadata.row_group(index).total_byte_size
            if run and run_bytes + size > _RUN_BYTES:
                yield self._dictionaries, run, max_rows
                run, run_bytes = [], 0
            if size > _RUN_BYTES:
                yield self._plain, [index], min(max_rows, self._batch_rows(index, wanted))
                continue
            run.append(index)
            run_bytes += size
        if run:
            yield self._dictionaries, run, max_rows

    def _batch_rows(self, index: int, wanted: list[str] | None) -> int:
        """Rows of a large row group that make up `_LARGE_GROUP_BATCH_BYTES`."""
        group = self._plain.metadata.row_group(index)
        probe = self._plain.iter_batches(
            _PROBE_ROWS, row_groups=[index], columns=wanted, use_threads=False
        )
        first = next(probe)
        # The footer knows the mean, but not how often a dictionary's texts are repeated.
        row_bytes = max(group.total_byte_size / group.num_rows, first.nbytes / first.num_rows, 1)
        return max(1, min(int(_LARGE_GROUP_BATCH_BYTES / row_bytes), _LARGE_GROUP_BATCH_ROWS))


def footer_entries(path: Location) -> dict[str, str]:
    """What the footer's metadata of a file say; nothing where the file is no Parquet.

    Raises:
        StorageError: The file cannot be read.
    """
    try:
        metadata = ParquetSource(new_input(path)).metadata or {}
    except DataError:
        return {}
    return {
        key.decode(errors="replace"): value.decode(errors="replace")
        for key, value in metadata.items()
    }


def _reopened(
    file: pa.NativeFile, footer: pq.ParquetFile, dictionaries: list[str], *, remote: bool
) -> pq.ParquetFile:
    large = max(
        (footer.metadata.row_group(i).total_byte_size for i in range(footer.num_row_groups)),
        default=0,
    )
    # In a store each read is a request: neighbouring columns are fetched together, as long as a
    # row group fits into memory.
    joined = remote and large <= _JOINED_GROUP_BYTES
    return pq.ParquetFile(
        file,
        metadata=footer.metadata,
        pre_buffer=joined,
        buffer_size=0 if joined else _REMOTE_BUFFER_BYTES if remote else _READ_BUFFER_BYTES,
        page_checksum_verification=True,
        read_dictionary=dictionaries,
    )


def _text_columns(schema: pa.Schema) -> list[str]:
    kinds = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
    return [field.name for field in schema if field.type in kinds]


def _check_packing(file: InputFile, metadata: pq.FileMetaData) -> None:
    """Refuse a decompression bomb by what the footer says: Arrow unpacks whole pages at once."""
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        if group.total_byte_size <= _BOMB_BYTES:
            continue
        for number in range(group.num_columns):
            column = group.column(number)
            packed = max(1, column.total_compressed_size)
            unpacked = column.total_uncompressed_size
            if unpacked > _BOMB_BYTES and unpacked / packed > _BOMB_RATIO:
                raise DataError(
                    f"{file} unpacks {unpacked:,} bytes from {packed:,} in row group {index}, "
                    "like a decompression bomb",
                    "write it again with smaller row groups",
                )


def _check_indices(batch: pa.RecordBatch) -> None:
    """Refuse dictionary indices that point outside: damaged pages hold them, Arrow reads them."""
    for column in batch.columns:
        if pa.types.is_dictionary(column.type) and len(column) > column.null_count:
            ends = pc.min_max(column.indices)
            if not 0 <= ends["min"].as_py() <= ends["max"].as_py() < len(column.dictionary):
                raise pa.ArrowInvalid("dictionary index out of bounds")


_REWRITE = "write the file again from its source"


def _check_magic(file: InputFile) -> None:
    with file.open() as opened:
        head = opened.read(4)
        opened.seek(max(0, opened.seek(0, 2) - 4))
        tail = opened.read(4)
    if tail == b"PARE" or head == b"PARE":
        raise DataError(f"{file} is encrypted Parquet", "decrypt it first")
    if head != b"PAR1":
        raise DataError(f"{file} is not Parquet", "if it is text, give --format csv or jsonl")
    if tail != b"PAR1":
        raise DataError(f"{file} is truncated or still being written", "wait for it, or rewrite it")
