"""Says what is wrong with a CSV file, and what to do. No message quotes a cell."""

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
    """Check that a file with a single column does not have another delimiter.

    Args:
        header: The first row, as it was divided.
        rows: Some of the rows after it.
        delimiter: The delimiter that was used.
        file: The file, for messages.

    Raises:
        DataError: Another delimiter is in the header, and at least as often in each row.
    """
    if delimiter.join(header).lstrip("[ ").startswith(("{'", '{"')):
        raise DataError(f"{file} is JSON by its look, not CSV", "give --format jsonl")
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
    """Make the error for a quote that is not closed, or is where no quote may be.

    Args:
        file: The file, for the message.
        line: The line where it was found.
        begins: The line where the row begins.
        last: The last line that was read.
        delimiter: The delimiter between cells.
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
    """Make the error for a quoted cell whose lines look like rows.

    Args:
        file: The file, for the message.
        line: The line where its row begins.
        lines: Number of lines of the row.
    """
    return DataError(
        f"{file} has, from line {line} on, a quoted cell of {lines:,} lines that look like rows: "
        "a quote that is not closed would swallow them",
        f"{_UNQUOTE}; if the cell is right, write the file as JSON Lines or Parquet",
    )


def ragged_row(file: object, row: Sequence[str], number: int, width: int) -> DataError:
    """Make the error for a row that has more or fewer cells than the header.

    Args:
        file: The file, for the message.
        row: The cells of the row.
        number: Number of the row, from 1.
        width: Number of cells in the header.
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
        "quote cells that hold the delimiter or a line break; `train` and `score` can set such "
        "rows aside with --quarantine",
    )
