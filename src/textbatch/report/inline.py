"""A report as a piece of HTML, which a notebook shows under the call that returned it.

Without styles or scripts: it looks as the notebook's other tables do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from textbatch.errors import printable
from textbatch.report.labels import shown_label

#: More rows would hide what comes after them.
MOST_ROWS = 30
Row = Sequence[str]


def inline(
    title: str, facts: Mapping[str, str], *tables: tuple[Row, Sequence[Row]], notes: Row = ()
) -> str:
    """Make the piece of HTML. All that is given is escaped.

    Args:
        title: What it is.
        facts: Values by name.
        tables: Of each the heads of its columns, and its rows.
        notes: What the user should look at.
    """
    parts = [f"<h4>{_text(title)}</h4>", _table((), list(facts.items()))]
    parts += [_table(heads, rows) for heads, rows in tables if rows]
    if notes:
        parts.append(f"<ul>{''.join(f'<li>{_text(note)}</li>' for note in notes)}</ul>")
    return f"<div>{''.join(parts)}</div>"


def counted(name: str, counts: Mapping[str, int]) -> tuple[Row, list[Row]]:
    """A table of rows by label or status, the most first.

    Args:
        name: What they are counted by.
        counts: The numbers.
    """
    most = sorted(counts.items(), key=lambda one: -one[1])
    return (name, "rows"), [(shown_label(one), f"{count:,}") for one, count in most]


def number(value: float | None) -> str:
    """A share or an error, with four digits; a dash for None."""
    return "–" if value is None else f"{value:.4f}"


def _table(heads: Row, rows: Sequence[Row]) -> str:
    lines = list(_lines(heads, rows[:MOST_ROWS]))
    if len(rows) > MOST_ROWS:
        lines.append(f"<tr><td>and {len(rows) - MOST_ROWS:,} more</td></tr>")
    return f"<table>{''.join(lines)}</table>"


def _lines(heads: Row, rows: Sequence[Row]) -> Iterator[str]:
    if heads:
        yield f"<tr>{''.join(f'<th>{_text(head)}</th>' for head in heads)}</tr>"
    for first, *others in rows:
        cells = "".join(f"<td>{_text(other)}</td>" for other in others)
        yield f"<tr><th>{_text(first)}</th>{cells}</tr>"


def _text(value: str) -> str:
    return escape(printable(value))
