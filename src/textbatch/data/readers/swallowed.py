"""Recognises rows of CSV that a stray quote has made part of a cell.

A text with several lines has line breaks and commas too. Swallowed rows are different. Each line
has as many cells as a row. There is no space after their commas, if other rows have none. And the
other columns (a number, a date, a label) look as they do in other rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_BREAK = re.compile(r"\r\n|\n|\r")
_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")


def is_swallowing(rows: Sequence[Sequence[str]], place: int, delimiter: str) -> bool:
    """Whether a row has a cell that seems to hold other rows.

    Args:
        rows: Cells of rows that follow each other.
        place: Position of the row among them.
        delimiter: The character between cells.
    """
    row = rows[place]
    for column, cell in enumerate(row):
        if len(row) > 1 and ("\n" in cell or "\r" in cell):
            inner = _rows_inside(cell, column, len(row), delimiter)
            if inner and _Columns(rows, len(row)).has(inner, column):
                return True
    return False


def _rows_inside(cell: str, column: int, width: int, delimiter: str) -> list[tuple[int, list[str]]]:
    """Read the lines of a cell as rows: first column and cells; none if one is not a row."""
    first, *others = (line.split(delimiter) for line in _BREAK.split(cell))
    *middle, last = others
    if len(first) != width - column or len(last) != column + 1:
        return []
    if any(len(line) != width for line in middle):
        return []
    # Texts are the cell itself in the first line, and the cell with the quote in the last one.
    return [(column + 1, first[1:]), *((0, line) for line in middle), (0, last)]


class _Columns:
    """What the columns of rows look like."""

    def __init__(self, rows: Sequence[Sequence[str]], width: int) -> None:
        columns = [[row[i] for row in rows if len(row) == width] for i in range(width)]
        self._shapes = [frozenset(map(_shape, cells)) for cells in columns]
        self._often = [{cell for cell, n in Counter(cells).items() if n > 1} for cells in columns]
        self._spaced = [any(cell.startswith(" ") for cell in cells) for cells in columns]

    def has(self, inner: list[tuple[int, list[str]]], text: int) -> bool:
        """Whether cells look like their columns: in at least one column, and nowhere different."""
        alike = False
        for start, cells in inner:
            for column, cell in enumerate(cells, start):
                if cell.startswith(" ") and not self._spaced[column]:
                    return False
                if column == text:
                    continue
                if cell in self._often[column] or (
                    "9" in _shape(cell) and _shape(cell) in self._shapes[column]
                ):
                    alike = True
                elif "9" not in _shape(cell) and all("9" in s for s in self._shapes[column]):
                    return False
        return alike


def _shape(cell: str) -> str:
    """The shape of a cell, without its numbers and words: `2026-10-01` becomes `9-9-9`."""
    return _LETTERS.sub("a", _DIGITS.sub("9", cell[:200]))
