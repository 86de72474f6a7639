"""Row numbers in messages, which never quote a row's text."""

from __future__ import annotations

import numpy as np

from textbatch.types import Int64Array

_SHOWN_RANGES = 10


def shown_rows(numbers: Int64Array) -> str:
    """Write row numbers, with runs as ranges: `rows 3, 7 to 9 and 1,204 more`.

    Args:
        numbers: At least one, in ascending order. Shape `(rows,)`.
    """
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    runs = np.split(numbers, breaks)
    told = [f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
    rest = sum(map(len, runs[_SHOWN_RANGES:]))
    word = "row" if len(numbers) == 1 else "rows"
    return f"{word} {', '.join(told[:_SHOWN_RANGES])}" + (f" and {rest:,} more" if rest else "")
