"""Rows that a reader cannot read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that the reader cannot read, or whose text is not valid UTF-8.

    Attributes:
        row: Its number in the input, from 1. A CSV header and blank lines do not count.
        reason: `bad_utf8` or `wrong_cell_count`.
        text: The bytes, only if the user has asked for them.
    """

    row: int
    reason: str
    text: bytes | None = None
