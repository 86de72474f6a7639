"""Counts decimals in JSON that a double does not hold: they have more than 17 digits.

Many tools write a double with more digits than it needs. That loses nothing, so it does not count:
the digits are those of the double. A decimal that was none before, such as an amount, does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation

import numpy as np
import pyarrow as pa

from textbatch.data.readers.json_diagnosis import Fraction, leaves, shown_path, values
from textbatch.errors import DataError

#: So many digits tell each double from all others.
_DIGITS = 17
#: The shortest run of digits and a point that has more.
_SHORTEST = _DIGITS + 2
_NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_BEFORE = b":,[ \t\n\r-"
#: More digits than any double has.
_EXACT = Context(prec=4000, Emin=-10_000, Emax=10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounded:
    """Decimals of a column that a double does not hold.

    Attributes:
        count: How many there are.
        line: Number of the first line that has one.
        where: The column, for messages, or the key in it.
    """

    count: int
    line: int
    where: str

    def and_also(self, later: Rounded) -> Rounded:
        """Add those of later lines."""
        return Rounded(count=self.count + later.count, line=self.line, where=self.where)

    def note(self) -> str:
        """What the report tells."""
        return (
            f"{self.where} has {self.count:,} decimals with more digits than a double holds, the "
            f"first in line {self.line}: they are rounded"
        )

    def error(self, file: object) -> DataError:
        """What `--strict-types` makes of it.

        Args:
            file: The file.
        """
        return DataError(
            f"{file} line {self.line} has a decimal that a double would round, in {self.where}",
            "write the numbers of this column as text, in quotes",
        )


def rounded_fractions(table: pa.Table, content: bytes, first_line: int) -> dict[str, Rounded]:
    """Find the decimals that Arrow has rounded.

    Args:
        table: What Arrow has read.
        content: The lines that it has read it from.
        first_line: Number of the first line, from 1.

    Returns:
        By the names of the columns.
    """
    doubles = {path for path, kind in leaves(table.schema) if pa.types.is_floating(kind)}
    found: dict[str, Rounded] = {}
    for number, line in _long_lines(content) if doubles else ():
        for path, value in values(line):
            if isinstance(value, Fraction) and path in doubles and _is_rounded(value):
                name = path[0]
                where = shown_path(path)
                one = Rounded(count=1, line=first_line + number, where=where)
                found[name] = found[name].and_also(one) if name in found else one
    return found


def _long_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that may have such a decimal, with their numbers from 0."""
    data = np.frombuffer(content, np.uint8)
    starts = _long_runs(data)
    if not len(starts):
        return
    ends = np.flatnonzero(data == ord("\n"))
    last = -1
    for start, line in zip(starts.tolist(), np.searchsorted(ends, starts).tolist(), strict=True):
        if line == last or content[start - 1] not in _BEFORE:
            continue
        number = _NUMBER.match(content, start)
        # Here it may still be a part of a text.
        if number and not number[0].isdigit() and _is_rounded(number[0].decode()):
            last = line
            begin = int(ends[line - 1]) + 1 if line else 0
            yield line, content[begin : int(ends[line]) if line < len(ends) else len(content)]


def _long_runs(data: np.ndarray) -> np.ndarray:
    """Where runs of digits and points begin that are long enough."""
    # From `.` to `9`; the slash between them does no harm.
    run = (data - ord(".")) <= ord("9") - ord(".")
    length = 1
    while length < _SHORTEST:
        # Two runs that overlap are a longer one.
        step = min(length, _SHORTEST - length)
        run = run[:-step] & run[step:]
        length += step
    run[1:] &= ~run[:-1].copy()
    found: np.ndarray = np.flatnonzero(run)
    return found


def _is_rounded(text: str) -> bool:
    """Whether a number as it is written is neither what its double is nor what it is written as."""
    mantissa = re.split("[eE]", text)[0]
    if len(mantissa.replace(".", "").lstrip("-0")) <= _DIGITS:
        return False
    written, value = Decimal(text), float(text)
    if written in (Decimal(value), Decimal(repr(value))):
        return False
    try:
        # The double, written with as many digits.
        return Decimal(value).quantize(written, context=_EXACT) != written
    except InvalidOperation:
        return True
