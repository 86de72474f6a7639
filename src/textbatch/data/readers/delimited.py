"""CSV and TSV input, every column as text, verbatim.

Read with Python's `csv`: pyarrow's reader can lose the line feed of a quoted CRLF at a block
edge (arrow#51368) and guesses types from its first block; pandas fills short rows up and, when
all rows are too long, cuts them, both without an error.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import pyarrow as pa

from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.compressed import ByteStream, stream_errors
from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError

#: The longest cell; a quote that is never closed runs into this instead of eating all memory.
MAX_CELL_CHARACTERS = 64 << 20

#: Rows parsed at a time; few, so that long cells do not add up.
_STEP_ROWS = 256

#: Rows set aside that nobody has taken yet; more are a sign that none is good.
_MAX_WAITING = 100_000

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class DelimitedSource:
    """One CSV or TSV file; see `source.Source`."""

    num_rows: int | None = None

    def __init__(
        self,
        file: InputFile,
        delimiter: str,
        *,
        encoding: str | None = None,
        sets_aside: bool = False,
    ) -> None:
        self.file = file
        self.set_aside: deque[BadRow] = deque()
        self.notes: list[str] = []
        self._delimiter = delimiter
        self._encoding = encoding
        self._sets_aside = sets_aside
        self._stream: ByteStream | None = None
        csv.field_size_limit(MAX_CELL_CHARACTERS)
        with stream_errors(file):
            stream = ByteStream(file)
            try:
                header = next(filter(None, self._rows(stream)), None)
            finally:
                stream.close()
        if header and not _is_text(header):
            raise self._not_text(1, b"\xff\xfe" if header[0].startswith("\udcff") else b"")
        if header is None:
            raise DataError(f"{file} has no header line", "write the column names first")
        self.schema: pa.Schema = pa.schema([pa.field(name, pa.string()) for name in header])

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`. Blank lines are no rows."""
        wanted = [self.schema.get_field_index(name) for name in columns]
        schema = pa.schema([self.schema.field(index) for index in wanted])
        width = len(self.schema)
        with stream_errors(self.file):
            self._stream = stream = ByteStream(self.file)
            try:
                records = filter(None, self._rows(stream))
                next(records)
                first_row = 0
                while rows := list(islice(records, min(max_rows, _STEP_ROWS))):
                    count = len(rows)
                    if set(map(len, rows)) != {width}:
                        rows = self._good(rows, wanted, first_row)
                    try:
                        arrays = _columns(rows, wanted)
                    except UnicodeEncodeError:
                        arrays = _columns(self._good(rows, wanted, first_row), wanted)
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)
                    first_row += count
            finally:
                stream.close()

    def progress(self) -> float | None:
        """The share of the file read so far."""
        return self._stream.progress() if self._stream else 0.0

    def _rows(self, stream: ByteStream) -> Iterator[list[str]]:
        text = io.TextIOWrapper(
            stream.bytes,
            encoding=self._encoding or "utf-8-sig",
            # Bytes that are no text become lone surrogates, which are found row by row.
            errors="surrogateescape" if self._sets_aside else "strict",
            newline="",
        )
        reader = csv.reader(text, delimiter=self._delimiter, strict=True)
        try:
            yield from reader
        except UnicodeDecodeError as error:
            # Of the error only its position is told: its message quotes bytes of the cell.
            line = reader.line_num + 1 + error.object.count(b"\n", 0, error.start)
            raise self._not_text(line, error.object[:2]) from None
        except csv.Error:
            raise DataError(
                f"{self.file} has a quoting error or an endless cell at line {reader.line_num}",
                "close every quote and double the quotes inside quoted cells",
            ) from None

    def _not_text(self, line: int, beginning: bytes) -> DataError:
        marked = " (it looks like UTF-16)" if beginning in _UTF16_MARKS else ""
        return DataError(
            f"{self.file} is not {self._encoding or 'UTF-8'} at line {line}{marked}",
            "convert it to UTF-8, or name its --encoding",
        )

    def _good(
        self, rows: list[list[str]], wanted: Sequence[int], first_row: int
    ) -> list[list[str]]:
        """The rows that can be read; the others are set aside, or the first of them is an error."""
        width = len(self.schema)
        good: list[list[str]] = []
        for number, row in enumerate(rows, first_row + 1):
            if len(row) != width:
                reason = "wrong_cell_count"
            elif not _is_text([row[index] for index in wanted]):
                reason = "bad_utf8"
            else:
                good.append(row)
                continue
            if not self._sets_aside:
                raise self._ragged(row, number)
            text = self._delimiter.join(row).encode("utf-8", "surrogateescape")
            self.set_aside.append(BadRow(row=number, reason=reason, text=text))
        if len(self.set_aside) > _MAX_WAITING:
            raise DataError(f"{self.file} has hardly a row that can be read", "check its delimiter")
        return good

    def _ragged(self, row: list[str], number: int) -> DataError:
        return DataError(
            f"{self.file} has {len(row)} cells in data row {number} "
            f"and {len(self.schema)} in its header",
            "quote cells that hold the delimiter or a line break, or set such rows aside "
            "with --quarantine",
        )


def _columns(rows: list[list[str]], wanted: Sequence[int]) -> list[pa.Array]:
    if not rows:
        return [pa.array([], pa.string()) for _ in wanted]
    cells = list(zip(*rows, strict=True))
    return [pa.array(cells[index], pa.string()) for index in wanted]


def _is_text(cells: Sequence[str]) -> bool:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True
