"""The result of `tune`, as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from textbatch.report.tuning import TuneReport

#: Number of rows of the table, which shows the best trials.
_SHOWN = 10


def tuning_tables(report: TuneReport) -> Iterator[RenderableType]:
    """Show the best trials, and the settings of the best one beside those of the recipe."""
    complete = sorted((t for t in report.trials if t.loss is not None), key=lambda t: t.loss or 0.0)
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("trial", "validation loss", "epochs"):
        table.add_column(Text(name), justify="right")
    for trial in complete[:_SHOWN]:
        table.add_row(str(trial.number), f"{trial.loss:.4f}", str(trial.epochs))
    yield table
    best = next(trial for trial in complete if trial.number == report.best)
    first = next((trial.settings for trial in report.trials if trial.number == 0), {})
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("setting", "best", "as it was"):
        table.add_column(Text(name), justify="left" if name == "setting" else "right")
    for name, value in best.settings.items():
        table.add_row(Text(name), _number(value), _number(first.get(name)))
    yield table


def _number(value: Any) -> str:  # noqa: ANN401
    return "–" if value is None else f"{value:.4g}"
