"""Rows that a reader could not make a row of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that the reader could not make a row of, or whose text is no text.

    Attributes:
        row: Its number in the input, from 1; a CSV header and blank lines do not count.
        reason: `bad_utf8` or `wrong_cell_count`.
        text: The bytes, only where the user has asked for them.
    """

    row: int
    reason: str
    text: bytes | None = None
