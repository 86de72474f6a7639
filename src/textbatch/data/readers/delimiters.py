"""The character between the cells of a CSV file."""

from __future__ import annotations

from textbatch.errors import UsageError, printable

_LONGEST_SHOWN = 40


def delimiter_of(given: str) -> str:
    """Read a delimiter as users write it: one character, or an escape or a word for a tab.

    Args:
        given: What a user wrote.

    Raises:
        UsageError: It cannot divide cells.
    """
    delimiter = "\t" if given in ("\\t", "tab") else given
    if len(delimiter) != 1 or delimiter in '\r\n"\ufeff' or "\ud800" <= delimiter <= "\udfff":
        raise UsageError(
            f"--delimiter is '{printable(given[:_LONGEST_SHOWN])}'",
            "give one character, or '\\t' for a tab",
        )
    return delimiter
