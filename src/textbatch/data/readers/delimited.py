"""CSV and TSV input. Every column is text, verbatim.

It is read with Python's `csv`. pyarrow's reader can lose the line feed of a quoted CRLF at the edge
of a block (arrow#51368), and guesses types from its first block. pandas fills short rows and, if
all rows are too long, cuts them, both without an error.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.compressed import ByteStream, stream_errors
from textbatch.data.readers.delimited_advice import check_delimiter, holds_rows, ragged_row
from textbatch.data.readers.delimited_rows import Dialect, Rows
from textbatch.data.readers.parquet_faults import UnreadableColumnError
from textbatch.data.readers.parquet_types import ColumnTypes
from textbatch.data.readers.swallowed import is_swallowing
from textbatch.data.readers.text_lines import TextLines
from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError, TryAgainError

#: Limits on rows, cells and characters that are parsed at a time, so that long cells do not add up.
_STEP_ROWS, _STEP_CELLS, _STEP_CHARACTERS = 256, 1 << 20, 16 << 20
#: The sample that shows whether the first row is a header, and whether the delimiter is right.
_SAMPLE_ROWS, _SAMPLE_CHARACTERS = 20, 1 << 20
#: Limit on rows that are set aside and not taken yet. With more, probably no row is good.
_MAX_WAITING = 100_000


class DelimitedSource:
    """One CSV or TSV file; see `source.Source`."""

    num_rows: int | None = None

    def __init__(self, file: InputFile, dialect: Dialect, *, sets_aside: bool = False) -> None:
        self.file = file
        self.set_aside: deque[BadRow] = deque()
        self.notes: list[str] = []
        self.types: Mapping[str, ColumnTypes] = {}
        self.inexact: Mapping[str, DataError] = {}
        self.unreadable: Mapping[str, UnreadableColumnError] = {}
        self._dialect = dialect
        self._sets_aside = sets_aside
        self._stream: ByteStream | None = None
        with stream_errors(file):
            stream = ByteStream(file)
            try:
                rows = self._rows(stream)
                header = rows.header()
                if header is None:
                    raise DataError(f"{file} has no header line", "write the column names first")
                sample = rows.step(_SAMPLE_ROWS, _SAMPLE_CHARACTERS)
            finally:
                stream.close()
        if dialect.guessed:
            check_delimiter(header, sample, dialect.delimiter, file)
        #: A name that is also a cell below it is probably not a name.
        self.names_doubtful = any(
            name == cell for row in sample for name, cell in zip(header, row, strict=False) if name
        )
        self.schema: pa.Schema = pa.schema([pa.field(name, pa.string()) for name in header])

    def batches(self, columns: Sequence[str], max_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some columns; see `source.Source`. Blank lines are not rows."""
        wanted = [self.schema.get_field_index(name) for name in columns]
        schema = pa.schema([self.schema.field(index) for index in wanted])
        width = len(self.schema)
        step_rows = max(1, min(max_rows, _STEP_ROWS, _STEP_CELLS // width))
        with stream_errors(self.file):
            self._stream = stream = ByteStream(self.file)
            try:
                taken = self._rows(stream)
                if taken.header() != self.schema.names:
                    # The first look took a piece of the file alone, which no checksum covers.
                    raise TryAgainError(
                        f"{self.file} begins otherwise than at the first look", "run again"
                    )
                first_row = 0
                while rows := taken.step(step_rows, _STEP_CHARACTERS):
                    count = len(rows)
                    for spread in taken.spread:
                        if is_swallowing(rows, spread.place, self._dialect.delimiter):
                            raise holds_rows(self.file, spread.line, spread.lines)
                    if set(map(len, rows)) != {width}:
                        rows = self._good(rows, wanted, first_row)
                    try:
                        arrays = _columns(rows, wanted, width)
                    except UnicodeEncodeError:
                        arrays = _columns(self._good(rows, wanted, first_row), wanted, width)
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)
                    first_row += count
            finally:
                stream.close()

    def progress(self) -> float | None:
        """The share of the file that is read so far."""
        return self._stream.progress() if self._stream else 0.0

    def _rows(self, stream: ByteStream) -> Rows:
        lines = TextLines(stream.bytes, self.file, self._dialect.encoding, lenient=self._sets_aside)
        return Rows(lines, self._dialect, self.file)

    def _good(
        self, rows: list[list[str]], wanted: Sequence[int], first_row: int
    ) -> list[list[str]]:
        """Select the rows that can be read. Others are set aside, or the first one is an error."""
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
                raise ragged_row(self.file, row, number, width)
            text = self._dialect.delimiter.join(row).encode("utf-8", "surrogateescape")
            self.set_aside.append(BadRow(row=number, reason=reason, text=text))
        if len(self.set_aside) > _MAX_WAITING:
            raise DataError(f"{self.file} has hardly a row that can be read", "check its delimiter")
        return good


def _columns(rows: list[list[str]], wanted: Sequence[int], width: int) -> list[pa.Array]:
    if not rows:
        return [pa.array([], pa.string()) for _ in wanted]
    if 2 * len(wanted) < width:
        return [pa.array([row[index] for row in rows], pa.string()) for index in wanted]
    cells = list(zip(*rows, strict=True))
    return [pa.array(cells[index], pa.string()) for index in wanted]


def _is_text(cells: Sequence[str]) -> bool:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True
