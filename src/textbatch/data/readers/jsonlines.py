"""JSON Lines input: one object on each line.

It is read twice: first to find the type of each column over the whole file, then to yield the rows.
Types come from Arrow's JSON reader, but strings stay strings; Arrow would turn some into
timestamps.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.json as pj

from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.compressed import ByteStream, stream_errors
from textbatch.data.readers.json_blocks import Block, blocks
from textbatch.data.readers.json_diagnosis import bad_line, check_lines
from textbatch.data.readers.json_fractions import rounded_fractions
from textbatch.data.readers.json_numbers import check_numbers
from textbatch.data.readers.json_types import NO_TYPES, JsonTypes, settled, strings_kept, united
from textbatch.data.readers.parquet_faults import UnreadableColumnError
from textbatch.data.readers.parquet_types import ColumnTypes
from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError


class JsonLinesSource:
    """One JSON Lines file; see `source.Source`.

    Attributes:
        found: What a first reading has found, of this file alone or of all files of a job.
    """

    names_doubtful = False

    def __init__(
        self, file: InputFile, *, encoding: str | None = None, read_as: JsonTypes | None = None
    ) -> None:
        """Learn the types.

        Args:
            file: The file.
            encoding: None is UTF-8.
            read_as: What is known of it; None reads it once.
        """
        self.file = file
        self.set_aside: deque[BadRow] = deque()
        self.notes: list[str] = []
        self.types: Mapping[str, ColumnTypes] = {}
        self.unreadable: Mapping[str, UnreadableColumnError] = {}
        self._encoding = encoding
        self.found = read_as or self._look()
        self.schema: pa.Schema = settled(self.found.schema)
        self.num_rows: int | None = self.found.rows
        self._rounded = self.found.rounded or {}
        self.inexact: Mapping[str, DataError] = {
            name: one.error(file) for name, one in self._rounded.items()
        }

    def _look(self) -> JsonTypes:
        found = JsonTypes()
        for block in self._blocks():
            lines = check_lines(block.content, block.first_line, self.file)
            with self._told_by_line(block, found.schema):
                table = self._parse(block, NO_TYPES)
                schema = united([found.schema, strings_kept(table.schema)])
            if table.num_rows != lines:
                raise self._bad_line(block, found.schema)
            rounded = dict(found.rounded or {})
            for name, more in rounded_fractions(table, block.content, block.first_line).items():
                rounded[name] = rounded[name].and_also(more) if name in rounded else more
            found = JsonTypes(schema=schema, rows=found.rows + table.num_rows, rounded=rounded)
        return found

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`. A missing key is a null."""
        for note in (one.note() for name, one in self._rounded.items() if name in columns):
            if note not in self.notes:
                self.notes.append(note)
        for block in self._blocks():
            with self._told_by_line(block, self.schema):
                table = self._parse(block, self.schema).select(list(columns))
            check_numbers(table, block.content, block.first_line, self.file)
            yield from table.to_batches(max_chunksize=max_rows)

    def progress(self) -> float | None:
        """None, because the first reading has counted the rows."""
        return None

    def _blocks(self) -> Iterator[Block]:
        with stream_errors(self.file):
            stream = ByteStream(self.file)
            try:
                yield from blocks(stream.bytes, self.file, self._encoding)
            finally:
                stream.close()

    def _parse(self, block: Block, types: pa.Schema) -> pa.Table:
        if not block.content.strip():
            return types.empty_table()
        return pj.read_json(
            io.BytesIO(block.content),
            read_options=pj.ReadOptions(use_threads=False, block_size=len(block.content) + 1),
            parse_options=pj.ParseOptions(explicit_schema=types),
        )

    @contextmanager
    def _told_by_line(self, block: Block, types: pa.Schema) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeDecodeError):
            # Arrow's message can quote the line, so find the line and the cause instead. A key that
            # is not UTF-8 is noticed only when its name is used.
            raise self._bad_line(block, types) from None

    def _bad_line(self, block: Block, types: pa.Schema) -> DataError:
        return bad_line(block.content, block.first_line, types, self.file)
