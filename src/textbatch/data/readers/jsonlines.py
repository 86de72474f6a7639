"""JSON Lines input: one object a line.

Read twice: once to learn every column's type over the whole file, then to yield the rows.
Types come from Arrow's JSON reader, except that strings stay strings (it would turn some into
timestamps).
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate

import pyarrow as pa
import pyarrow.json as pj

from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.compressed import ByteStream, stream_errors
from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError

_BLOCK_BYTES = 8 << 20
#: Arrow's JSON parser recurses: a few thousand levels end the process (SIGSEGV).
_MAX_DEPTH = 100

_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?')
_BRACKET = re.compile(rb"[\[\]{}]")


class JsonLinesSource:
    """One JSON Lines file; see `source.Source`."""

    def __init__(self, file: InputFile, *, encoding: str | None = None) -> None:
        self.file = file
        self.set_aside: deque[BadRow] = deque()
        self.notes: list[str] = []
        self._encoding = encoding
        self._stream: ByteStream | None = None
        self.num_rows: int | None = 0
        self.schema: pa.Schema = pa.schema([])
        first_line = 1
        for block, lines in self._blocks():
            self._check_lines(block, first_line)
            table = self._parse(block, first_line, pa.schema([]))
            try:
                self.schema = pa.unify_schemas(
                    [self.schema, _strings_kept(table.schema)], promote_options="permissive"
                )
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise self._mixed_types(table.schema) from error
            self.num_rows += table.num_rows
            first_line += lines

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`. A missing key is a null."""
        first_line = 1
        for block, lines in self._blocks():
            table = self._parse(block, first_line, self.schema).select(list(columns))
            yield from table.to_batches(max_chunksize=max_rows)
            first_line += lines

    def progress(self) -> float | None:
        """None: the first reading has counted the rows."""
        return None

    def _blocks(self) -> Iterator[tuple[bytes, int]]:
        """Yield blocks of whole lines, and their number of lines."""
        with stream_errors(self.file):
            stream = ByteStream(self.file)
            if self._encoding:
                stream.bytes = codecs.EncodedFile(stream.bytes, "utf-8", self._encoding)
            try:
                rest = b""
                while data := self._read(stream):
                    head, newline, tail = data.rpartition(b"\n")
                    if not newline:
                        rest += data
                        continue
                    block = rest + head + newline
                    rest = tail
                    yield block, block.count(b"\n")
                if rest.strip():
                    yield rest, 1
            finally:
                stream.close()

    def _read(self, stream: ByteStream) -> bytes:
        try:
            data: bytes = stream.bytes.read(_BLOCK_BYTES)
        except UnicodeError:
            # Its message quotes bytes of the line.
            raise DataError(f"{self.file} is not {self._encoding}", "check --encoding") from None
        return data

    def _check_lines(self, block: bytes, first_line: int) -> None:
        """Check that each line begins and ends as an object does, before Arrow sees it."""
        for number, line in enumerate(block.removeprefix(_BOM).split(b"\n"), first_line):
            stripped = line.strip()
            if stripped and not (stripped.startswith(b"{") and stripped.endswith(b"}")):
                raise DataError(f"{self.file} line {number} is not a JSON object", _FIX)
            # Counting is quick; only a line with that many brackets is looked at closely.
            if line.count(b"[") + line.count(b"{") > _MAX_DEPTH and _depth(line) > _MAX_DEPTH:
                raise DataError(
                    f"{self.file} line {number} nests more than {_MAX_DEPTH} levels deep",
                    "flatten it",
                )

    def _parse(self, block: bytes, first_line: int, schema: pa.Schema) -> pa.Table:
        if not block.strip():
            return schema.empty_table()
        try:
            return pj.read_json(
                io.BytesIO(block),
                read_options=pj.ReadOptions(use_threads=False, block_size=len(block) + 1),
                parse_options=pj.ParseOptions(explicit_schema=schema),
            )
        except pa.ArrowInvalid:
            # Arrow's message can quote the line: find its number and say only that.
            raise self._bad_line(block, first_line) from None

    def _bad_line(self, block: bytes, first_line: int) -> DataError:
        for number, line in enumerate(block.split(b"\n"), first_line):
            try:
                if line.strip():
                    json.loads(line)
            except ValueError:
                return DataError(f"{self.file} line {number} is not valid UTF-8 JSON", _FIX)
        last_line = first_line + block.rstrip().count(b"\n")
        return DataError(
            f"{self.file} has, between lines {first_line} and {last_line}, mixed types, "
            "a repeated key or half a surrogate pair",
            "give each column one type",
        )

    def _mixed_types(self, schema: pa.Schema) -> DataError:
        known = {field.name: field.type for field in self.schema}
        for field in schema:
            before = known.get(field.name, field.type)
            if before != field.type and pa.null() not in (before, field.type):
                return DataError(
                    f"{self.file} has both {before} and {field.type} in column '{field.name}'",
                    "give the column one type",
                )
        return DataError(f"{self.file} has columns of mixed types", "give each column one type")


_FIX = "write one JSON object a line"


def _depth(line: bytes) -> int:
    """How deep a JSON text nests, brackets inside strings left out."""
    brackets = _BRACKET.findall(_STRING.sub(b"", line))
    return max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets), default=0)


def _strings_kept(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, _string_kept(field.type)) for field in schema])


def _string_kept(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind) or pa.types.is_date(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_string_kept(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, _string_kept(f.type)) for f in kind])
    return kind
