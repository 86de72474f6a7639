"""The result of `diff`, as tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from textbatch.errors import printable
from textbatch.report.diffing import DiffReport, FlipExample, label_or_none

#: Rows of a table, which shows the most frequent ones.
_SHOWN = 20
_LONGEST_CELL = 60


def diff_tables(found: DiffReport) -> Iterator[RenderableType]:
    """Show what has changed: the numbers, flips by label, statuses, and the worst flips.

    Args:
        found: The report.
    """
    yield Text("\n".join(f"{name}: {value}" for name, value in found.facts().items()))
    if one := found.comparison:
        yield Text(
            f"{found.true_rows:,} rows with a true label: only the new one is right on "
            f"{one.only_new_right:,}, only the old one on {one.only_current_right:,}\n"
            f"accuracy {one.difference:+.4f}, 95 % interval {one.low:+.4f} to {one.high:+.4f}; "
            f"p = {one.p_value:.3g} (McNemar, exact)"
        )
    if found.unseen_labels:
        yield Text(f"{sum(found.unseen_labels.values()):,} true labels are of no model")
    if found.flip_pairs:
        yield from _flips(found)
    if found.statuses:
        table = _table("status was", "is", "rows")
        for change in found.statuses[:_SHOWN]:
            table.add_row(change.old or "–", change.new or "–", f"{change.rows:,}")
        yield table
    if found.examples:
        yield _examples(found)


def _flips(found: DiffReport) -> Iterator[RenderableType]:
    truth = found.comparison is not None
    table = _table("label was", "is", "rows", *(("mended", "broken") if truth else ()))
    for pair in found.flip_pairs[:_SHOWN]:
        judged = (f"{pair.mended:,}", f"{pair.broken:,}") if truth else ()
        names = (Text(label_or_none(one)) for one in (pair.old, pair.new))
        table.add_row(*names, f"{pair.rows:,}", *judged)
    yield table
    if len(found.flip_pairs) > _SHOWN:
        yield Text(f"and {len(found.flip_pairs) - _SHOWN:,} more pairs of labels")


def _examples(found: DiffReport) -> Table:
    shown = found.examples[:_SHOWN]
    columns = list(shown[0].cells)
    truth = any(one.true is not None for one in shown)
    by_key = any(one.old_row != one.new_row for one in shown)
    heads = ["row in old", "row in new"] if by_key else ["row"]
    table = _table(*heads, "was", "is", *(["true"] if truth else []), "confidence", *columns)
    for one in shown:
        rows = [one.old_row, one.new_row] if by_key else [one.new_row]
        table.add_row(
            *(f"{row:,}" for row in rows),
            *(Text(label_or_none(label)) for label in (one.old, one.new)),
            *([Text("–" if one.true is None else label_or_none(one.true))] if truth else []),
            _confidences(one),
            *(Text(_cut(one.cells[name])) for name in columns),
        )
    return table


def _confidences(one: FlipExample) -> str:
    both = (one.old_confidence, one.new_confidence)
    return " → ".join("–" if value is None else f"{value:.3f}" for value in both)


def _cut(cell: str | None) -> str:
    text = printable(cell or "")
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in heads:
        numbers = name in ("rows", "mended", "broken") or name.startswith("row")
        table.add_column(Text(printable(name)), justify="right" if numbers else "left")
    return table
