"""Refuses integers in JSON that a column of doubles has rounded."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.json_diagnosis import Path, Whole, leaves, shown_path, values
from textbatch.errors import DataError

#: From here on doubles are further apart than integers.
_EXACT = 2.0**53
#: The largest double is 1.8e308.
_RANGE_DIGITS = 309


def check_numbers(table: pa.Table, content: bytes, first_line: int, file: object) -> None:
    """Check that each integer has kept its value in the type of its column.

    Arrow reads an integer as a double if it has more than 64 bits, or if its column has fractions.

    Args:
        table: What Arrow has read.
        content: The lines that it has read it from.
        first_line: Number of the first line, from 1.
        file: The file, for messages.

    Raises:
        DataError: An integer was rounded. The message names its line and column.
    """
    # The lines are read only if a double is so large that it can be a rounded integer.
    if not any(_is_large(chunk) for column in table.columns for chunk in column.chunks):
        return
    doubles = {path for path, kind in leaves(table.schema) if pa.types.is_floating(kind)}
    for number, line in enumerate(content.split(b"\n"), first_line):
        if line.strip() and (path := _rounded(line, doubles)):
            raise DataError(
                f"{file} line {number} has an integer that a double would round, in "
                f"{shown_path(path)}",
                "write the numbers of this column as text, in quotes",
            )


def _is_large(array: pa.Array) -> bool:
    kind = array.type
    if pa.types.is_floating(kind):
        return bool(pc.any(pc.greater_equal(pc.abs(array), _EXACT)).as_py())
    if pa.types.is_list(kind):
        return _is_large(array.flatten())
    if pa.types.is_struct(kind):
        return any(_is_large(array.field(index)) for index in range(kind.num_fields))
    return False


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
