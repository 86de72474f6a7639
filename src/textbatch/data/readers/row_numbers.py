"""Numbers of rows for a message: rows are named by their numbers, never by their texts."""

from __future__ import annotations

import numpy as np

from textbatch.types import Int64Array

_SHOWN_RANGES = 10


def shown_rows(numbers: Int64Array) -> str:
    """Write row numbers, those that follow each other as one: `rows 3, 7 to 9 and 1,204 more`.

    Args:
        numbers: In their order, at least one. Shape `(rows,)`.
    """
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    runs = np.split(numbers, breaks)
    told = [f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
    rest = sum(map(len, runs[_SHOWN_RANGES:]))
    word = "row" if len(numbers) == 1 else "rows"
    return f"{word} {', '.join(told[:_SHOWN_RANGES])}" + (f" and {rest:,} more" if rest else "")
