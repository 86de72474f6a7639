"""What is wrong with a CSV file, told by its look, and what to do: no message quotes a cell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textbatch.errors import DataError

_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_BETWEEN_QUOTES = re.compile(r'"([,;\t|])"')
_UNQUOTE = "give --quoting none if quotes are part of the texts"


def check_delimiter(
    header: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str, file: object
) -> None:
    """Check that a file with a single column is not divided by something else.

    Args:
        header: The first row as it was divided.
        rows: Some of the rows after it.
        delimiter: What divided them.
        file: Its name, for messages.

    Raises:
        DataError: Another delimiter stands in the header, and as often in each row.
    """
    if len(header) != 1:
        return
    for other, name in _DELIMITERS.items():
        often = header[0].count(other)
        if often and all(delimiter.join(row).count(other) >= often for row in rows):
            raise DataError(
                f"{file} has one column where {_DELIMITERS.get(delimiter, 'that')} divides, and "
                f"{often + 1:,} where {name} does",
                _name_it(other),
            )


def _name_it(delimiter: str) -> str:
    shown = "\\t" if delimiter == "\t" else delimiter
    return f"give --delimiter '{shown}'"


def quoting_error(file: object, line: int, begins: int, last: str, *, delimiter: str) -> DataError:
    """The error for a quote that is not closed, or stands where none may be.

    Args:
        file: Its name.
        line: Where it was found.
        begins: The line that the row begins in.
        last: That line's text.
        delimiter: Between the cells.
    """
    between = _BETWEEN_QUOTES.search(last)
    if begins == line == 1 and between and between[1] != delimiter:
        name = _DELIMITERS[between[1]]
        return DataError(f"{file} has {name} between its quoted cells", _name_it(between[1]))
    where = f"at line {line}" + (f", in the row of line {begins}" if begins < line else "")
    if '\\"' in last:
        return DataError(
            f"{file} has a quoting error {where}: a backslash stands before a quote, as Spark and "
            "MySQL write it",
            'write quotes inside quoted cells doubled (in Spark: option("escape", "\\""))',
        )
    return DataError(
        f"{file} has a quoting error or an endless cell {where}",
        f"close every quote and double the quotes inside quoted cells, or {_UNQUOTE}",
    )


def holds_rows(file: object, line: int, lines: int) -> DataError:
    """The error for a quoted cell whose lines look like rows.

    Args:
        file: Its name.
        line: Where its row begins.
        lines: How many it has.
    """
    return DataError(
        f"{file} has, from line {line} on, a quoted cell of {lines:,} lines that look like rows: "
        "a quote that is not closed would swallow them",
        f"{_UNQUOTE}; if the cell is right, write the file as JSON Lines or Parquet",
    )


def ragged_row(file: object, row: Sequence[str], number: int, width: int) -> DataError:
    """The error for a row with another number of cells than the header has.

    Args:
        file: Its name.
        row: Its cells.
        number: Of the row, from 1.
        width: Cells of the header.
    """
    what = f"{file} has {len(row)} cells in data row {number} and {width} in its header"
    extra = row[width:]
    if extra and not any(extra):
        return DataError(
            f"{what}: those beyond are empty, as a spreadsheet leaves them",
            "delete the empty columns there, or name them in the header",
        )
    if any(cell.endswith("\\") for cell in row):
        return DataError(
            f"{what}, and a cell that ends with a backslash, as where quotes are escaped by it",
            "write quotes inside quoted cells doubled",
        )
    return DataError(
        what,
        "quote cells that hold the delimiter or a line break, or set such rows aside "
        "with --quarantine",
    )
