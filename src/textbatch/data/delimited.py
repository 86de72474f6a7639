"""CSV and TSV input, every column as text, verbatim.

Read with Python's `csv`: pyarrow's reader can lose the line feed of a quoted CRLF at a block
edge (arrow#51368) and guesses types from its first block; pandas fills short rows up and, when
all rows are too long, cuts them, both without an error.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa

from textbatch.data.compressed import ByteStream, stream_errors
from textbatch.errors import DataError

#: The longest cell; a quote that is never closed runs into this instead of eating all memory.
MAX_CELL_CHARACTERS = 64 << 20

#: Rows parsed at a time; few, so that long cells do not add up.
_STEP_ROWS = 256

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class DelimitedSource:
    """One CSV or TSV file; see `source.Source`."""

    num_rows: int | None = None

    def __init__(self, path: Path, delimiter: str) -> None:
        self.path = path
        self._delimiter = delimiter
        self._stream: ByteStream | None = None
        csv.field_size_limit(MAX_CELL_CHARACTERS)
        with stream_errors(path):
            stream = ByteStream(path)
            try:
                header = next(filter(None, self._rows(stream)), None)
            finally:
                stream.close()
        if header is None:
            raise DataError(f"{path} has no header line", "write the column names first")
        self.schema: pa.Schema = pa.schema([pa.field(name, pa.string()) for name in header])

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`. Blank lines are no rows."""
        wanted = [self.schema.get_field_index(name) for name in columns]
        schema = pa.schema([self.schema.field(index) for index in wanted])
        width = len(self.schema)
        with stream_errors(self.path):
            self._stream = stream = ByteStream(self.path)
            try:
                records = filter(None, self._rows(stream))
                next(records)
                first_row = 0
                while rows := list(islice(records, min(max_rows, _STEP_ROWS))):
                    if set(map(len, rows)) != {width}:
                        raise self._ragged(rows, first_row)
                    cells = list(zip(*rows, strict=True))
                    arrays = [pa.array(cells[index], pa.string()) for index in wanted]
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)
                    first_row += len(rows)
            finally:
                stream.close()

    def progress(self) -> float | None:
        """The share of the file read so far."""
        return self._stream.progress() if self._stream else 0.0

    def _rows(self, stream: ByteStream) -> Iterator[list[str]]:
        text = io.TextIOWrapper(stream.bytes, encoding="utf-8-sig", newline="")
        reader = csv.reader(text, delimiter=self._delimiter, strict=True)
        try:
            yield from reader
        except UnicodeDecodeError as error:
            # Of the error only its position is told: its message quotes bytes of the cell.
            marked = error.object[:2] in _UTF16_MARKS
            line = reader.line_num + 1 + error.object.count(b"\n", 0, error.start)
            raise DataError(
                f"{self.path} is not UTF-8 at line {line}"
                + (" (it looks like UTF-16)" if marked else ""),
                "convert it to UTF-8",
            ) from None
        except csv.Error:
            raise DataError(
                f"{self.path} has a quoting error or an endless cell at line {reader.line_num}",
                "close every quote and double the quotes inside quoted cells",
            ) from None

    def _ragged(self, rows: list[list[str]], first_row: int) -> DataError:
        width = len(self.schema)
        index, row = next((i, row) for i, row in enumerate(rows) if len(row) != width)
        return DataError(
            f"{self.path} has {len(row)} cells in data row {first_row + index + 1} "
            f"and {width} in its header",
            "quote cells that hold the delimiter or a line break",
        )
