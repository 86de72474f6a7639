"""Makes rows from lines: what a quote means in CSV and in TSV, and rows where quotes mean nothing.

In CSV a cell that begins with a quote ends at its second quote, even many lines later. TSV has no
such rule, but spreadsheets and pandas write quotes there too. So in TSV a quote without a partner,
or inside a cell, is a character like any other. If the lines of a quoted cell look like whole rows,
nobody can know whether they are rows, and the file is refused.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator

from textbatch.data.choices import Quoting
from textbatch.data.readers.delimited_advice import holds_rows
from textbatch.data.readers.text_lines import TextLines

#: Longest cell. It stops a quote that is never closed, which would need all memory.
MAX_CELL_CHARACTERS = 64 << 20
#: How far the partner of a quote is searched in TSV, in lines and in characters.
_AHEAD_LINES, _AHEAD_CHARACTERS = 10_000, 4 << 20

#: A whole quoted cell; a cell that is open at the end of a line; a later line where it ends; and a
#: later line where it does not end.
_WHOLE = re.compile(r'"((?:[^"]++|"")*+)"(?:(\t)|[\r\n]*\Z)')
_OPEN = re.compile(r'"(?:[^"]++|"")*+\Z')
_ENDS = re.compile(r'(?:[^"]++|"")*+"(?:\t|[\r\n]*\Z)')
_GOES_ON = re.compile(r'(?:[^"]++|"")*+\Z')


def records(
    lines: TextLines, delimiter: str, quoting: Quoting, file: object
) -> Iterator[list[str]]:
    """Yield the cells of each row; none for a blank line.

    Args:
        lines: The lines of the file, from the first one.
        delimiter: The character between cells.
        quoting: `auto` reads quotes as CSV and TSV have them; `none` reads them as characters.
        file: The file, for messages.

    Raises:
        csv.Error: A quote is not closed, or is where no quote may be.
        DataError: A cell of TSV holds lines that look like rows.
    """
    if quoting == "auto" and delimiter == "\t":
        return iter(_TabRows(lines, file))
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    if quoting == "none":
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(lines, delimiter=delimiter, strict=True)


class _TabRows:
    """Yields the rows of TSV, where a quote may have a meaning or not."""

    def __init__(self, lines: TextLines, file: object) -> None:
        self._lines, self._next, self._file = lines, iter(lines), file
        self._ahead: deque[str] = deque()
        self._width = 0

    def __iter__(self) -> Iterator[list[str]]:
        while line := self._line():
            row = self._row(line) if '"' in line else line.rstrip("\r\n").split("\t")
            self._width = self._width or len(row)
            yield [] if row == [""] else row

    def _line(self) -> str:
        return self._ahead.popleft() if self._ahead else next(self._next, "")

    def _row(self, line: str) -> list[str]:
        row: list[str] = []
        while True:
            found = _WHOLE.match(line)
            if not found and _OPEN.match(line):
                line = self._with_partner(line, before=len(row))
                found = _WHOLE.match(line)
            if found:
                row.append(found[1].replace('""', '"'))
                tab, line = found[2], line[found.end() :]
            else:
                cell, tab, line = line.partition("\t")
                row.append(cell if tab else cell.rstrip("\r\n"))
            if not tab:
                return row

    def _with_partner(self, line: str, *, before: int) -> str:
        """Return the rest of a row, with the lines up to the partner of its quote, if any."""
        taken, size = [line], len(line)
        while len(taken) < _AHEAD_LINES and size < _AHEAD_CHARACTERS and (more := self._line()):
            taken.append(more)
            size += len(more)
            if _ENDS.match(more):
                self._check_no_rows(taken, before)
                return "".join(taken)
            if not _GOES_ON.match(more):
                break
        self._ahead.extendleft(reversed(taken[1:]))
        return line

    def _check_no_rows(self, taken: list[str], before: int) -> None:
        tabs = [line.count("\t") for line in taken]
        tabs[0] += before
        if self._width and set(tabs) == {self._width - 1}:
            raise holds_rows(self._file, self._lines.number - len(taken) + 1, len(taken))
