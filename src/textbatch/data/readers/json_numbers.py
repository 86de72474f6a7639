"""Refuses integers in JSON that a column of doubles would round."""

from __future__ import annotations

import re

import pyarrow as pa

from textbatch.data.readers.json_diagnosis import Path, Whole, leaves, shown_path, values
from textbatch.errors import DataError

#: Integers with fewer digits are exact as doubles.
_LONG = re.compile(rb"\d{16}")
#: The largest double is 1.8e308.
_RANGE_DIGITS = 309


def check_numbers(content: bytes, first_line: int, types: pa.Schema, file: object) -> None:
    """Check that each integer keeps its value in the type of its column.

    Arrow reads an integer as a double if it has more than 64 bits, or if its column has fractions.

    Args:
        content: Whole lines that Arrow can read.
        first_line: Number of the first line, from 1.
        types: Types of the columns.
        file: The file, for messages.

    Raises:
        DataError: An integer would be rounded. The message names its line and column.
    """
    doubles = {path for path, kind in leaves(types) if pa.types.is_floating(kind)}
    if not doubles:
        return
    end = 0
    for found in _LONG.finditer(content):
        if found.start() < end:
            continue
        start = content.rfind(b"\n", 0, found.start()) + 1
        end = content.find(b"\n", found.end())
        end = len(content) if end < 0 else end
        if path := _rounded(content[start:end], doubles):
            line = first_line + content.count(b"\n", 0, start)
            raise DataError(
                f"{file} line {line} has an integer that a double would round, in "
                f"{shown_path(path)}",
                "write the numbers of this column as text, in quotes",
            )


def _rounded(line: bytes, doubles: set[Path]) -> Path | None:
    for path, value in values(line):
        # The length is checked first, because a float of so many digits would be infinite.
        if (
            isinstance(value, Whole)
            and path in doubles
            and (len(value) > _RANGE_DIGITS or int(float(value)) != int(value))
        ):
            return path
    return None
