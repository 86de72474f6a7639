"""The rows of a delimited file, a limited number at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from textbatch.data.choices import Quoting
from textbatch.data.readers.delimited_advice import quoting_error
from textbatch.data.readers.quoting import records
from textbatch.data.readers.text_lines import TextLines


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a delimited file is written.

    Attributes:
        delimiter: The character between cells.
        guessed: Whether the delimiter comes from the name of the file, and not from the user.
        quoting: What quotes mean; see `quoting.records`.
        encoding: Encoding of the file; None is UTF-8.
    """

    delimiter: str
    guessed: bool = True
    quoting: Quoting = "auto"
    encoding: str | None = None


class Spread(NamedTuple):
    """A row that takes several lines.

    Attributes:
        place: Its position among the rows of its step.
        line: The line where it begins, from 1.
        lines: Number of its lines.
    """

    place: int
    line: int
    lines: int


class Rows:
    """Reads rows from lines. Blank lines are not rows.

    Args:
        lines: The lines of the file, from the first one.
        dialect: How the file is written.
        file: The file, for messages.

    Attributes:
        spread: The rows of the last step that take several lines.
    """

    def __init__(self, lines: TextLines, dialect: Dialect, file: object) -> None:
        self.spread: list[Spread] = []
        self._lines, self._file, self._delimiter = lines, file, dialect.delimiter
        self._records: Iterator[list[str]] = records(
            lines, dialect.delimiter, dialect.quoting, file
        )

    def header(self) -> list[str] | None:
        """Read the first row; None if there is none.

        Raises:
            DataError: It cannot be read.
        """
        row = next(iter(self.step(1, 1)), None)
        if row is not None and any(not name.isascii() and _broken(name) for name in row):
            raise self._lines.not_text(self._lines.number)
        return row

    def step(self, most_rows: int, most_characters: int) -> list[list[str]]:
        """Read the next rows; none at the end of the file.

        Args:
            most_rows: Limit on the number of rows.
            most_characters: After this many characters no other row is begun.

        Raises:
            DataError: A row cannot be read.
        """
        rows: list[list[str]] = []
        self.spread = []
        lines = self._lines
        end = lines.characters + most_characters
        begins = lines.number
        try:
            while len(rows) < most_rows and (not rows or lines.characters < end):
                begins = lines.number
                row = next(self._records)
                if row:
                    rows.append(row)
                    if lines.number - begins > 1:
                        self.spread.append(Spread(len(rows) - 1, begins + 1, lines.number - begins))
        except StopIteration:
            pass
        except csv.Error:
            raise quoting_error(
                self._file, lines.number, begins + 1, lines.last, delimiter=self._delimiter
            ) from None
        return rows


def _broken(name: str) -> bool:
    """Whether a name has bytes that are not text, as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return False
