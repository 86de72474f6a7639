"""What can divide the cells of a file."""

from __future__ import annotations

from textbatch.errors import UsageError, printable

_LONGEST_SHOWN = 40


def delimiter_of(given: str) -> str:
    """Read a delimiter as users write it: a character, or a backslash and a t for a tab.

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
