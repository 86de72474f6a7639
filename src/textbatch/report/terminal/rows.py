"""Rows of a table on the terminal: as wide as it is, with long cells cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from textbatch.data.json_text import json_text
from textbatch.errors import printable

#: Columns are narrower only where their cells are.
_NARROWEST = 8
#: Two blanks, and one that the table puts between columns.
_GAP = 3
_NULL = "–"


def rows_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, first: Sequence[str], width: int
) -> tuple[Table, list[str]]:
    """Make a table that fits.

    Args:
        rows: The rows; cells are JSON values.
        columns: Names of the columns, in order.
        first: Columns that get their place before others do.
        width: Width of the terminal, in characters.

    Returns:
        The table, and the columns for which there was no room.
    """
    texts = {name: [shown_cell(row.get(name)) for row in rows] for name in columns}
    wanted = {
        name: min(width, max(map(cell_len, [printable(name), *cells])))
        for name, cells in texts.items()
    }
    widths = _widths(wanted, [*(name for name in first if name in wanted), *columns], width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, _GAP - 1, 0, 0), show_edge=False)
    fitting = [name for name in columns if name in widths]
    for name in fitting:
        table.add_column(
            Text(printable(name)),
            width=widths[name],
            no_wrap=True,
            overflow="ellipsis",
            justify="right" if _is_number(rows, name) else "left",
        )
    for number in range(len(rows)):
        table.add_row(*(Text(texts[name][number]) for name in fitting))
    return table, [name for name in columns if name not in widths]


def shown_cell(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A cell as one line of characters that cannot control a terminal.

    Args:
        value: Any JSON value.
    """
    if value is None:
        return _NULL
    return printable(str(value) if isinstance(value, str | float) else json_text(value))


def _widths(wanted: Mapping[str, int], order: Sequence[str], width: int) -> dict[str, int]:
    """Give each column, in this order, a width; what is left goes to those that want more."""
    widths: dict[str, int] = {}
    left = width
    for name in dict.fromkeys(order):
        least = min(wanted[name], _NARROWEST)
        if left >= least + _GAP:
            widths[name] = least
            left -= least + _GAP
    # What each wants is given to the narrowest first, so that only long columns are cut.
    for number, name in enumerate(sorted(widths, key=lambda name: wanted[name])):
        share = left // (len(widths) - number)
        more = min(wanted[name] - widths[name], share)
        widths[name] += more
        left -= more
    return widths


def _is_number(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    values = [row.get(name) for row in rows]
    return any(isinstance(one, int | float) for one in values) and not any(
        isinstance(one, str) for one in values
    )
