"""The result of `calibrate`, as tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from textbatch.report.calibrating import CalibrateReport


def calibration_tables(found: CalibrateReport) -> Iterator[RenderableType]:
    """Show the numbers, the methods, and the answers by confidence.

    Args:
        found: The report.
    """
    yield Text("\n".join(found.lines()))
    table = _table("on rows it was not fitted to", "log loss", "Brier score", "ECE")
    for one in found.measures:
        name = "as they are" if one.method == "none" else one.method
        table.add_row(name, f"{one.log_loss:.4f}", f"{one.brier:.4f}", f"{one.ece:.4f}")
    yield table
    table = _table("confidence", "rows", "mean", "right", "calibrated: rows", "mean", "right")
    for before, after in zip(found.before, found.after, strict=True):
        if before.rows or after.rows:
            cells = [
                (f"{one.rows:,}", _share(one.confidence), _share(one.accuracy))
                for one in (before, after)
            ]
            table.add_row(f"{before.low:.2f} – {before.high:.2f}", *cells[0], *cells[1])
    yield table


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
