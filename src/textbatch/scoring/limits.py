"""How many rows a run must have."""

from __future__ import annotations

from textbatch.errors import InputNotFoundError


def check_enough(rows: int, least: int) -> None:
    """Refuse a run that found too little to do.

    Args:
        rows: Rows that the run read.
        least: The smallest number that is allowed.

    Raises:
        InputNotFoundError: There are fewer.
    """
    if rows < least:
        raise InputNotFoundError(
            f"the input of this run has {rows:,} rows; --min-rows asks for {least:,}",
            "look at what should have brought the rest",
        )
