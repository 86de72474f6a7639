"""The versions of a model, and what a promotion has measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from textbatch.errors import printable
from textbatch.report.inspection import ReleasesInspection
from textbatch.report.labels import shown_label

if TYPE_CHECKING:  # it imports what `inspect` does not need
    from textbatch.report.promotion import PromoteReport

_FINGERPRINT = 12
#: Of a time: without seconds and zone, which is always UTC.
_MINUTES = 16


def versions_table(found: ReleasesInspection) -> Table:
    """Show the versions, the newest first."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("version", "fingerprint", ""):
        table.add_column(name, overflow="fold")
    for one in reversed(found.versions):
        withdrawn = f"withdrawn {one.withdrawn[:_MINUTES]} UTC" if one.withdrawn else ""
        table.add_row(
            one.name, one.fingerprint[:_FINGERPRINT], "current" if one.current else withdrawn
        )
    return table


def promotion_tables(done: PromoteReport) -> Iterator[RenderableType]:
    """Show both models side by side, and what came of the requirements.

    Args:
        done: The report.
    """
    if done.new:
        yield _measures(done)
    if found := done.comparison:
        yield Text(
            f"{done.rows:,} rows: only the new model is right on {found.only_new_right:,}, only "
            f"the current one on {found.only_current_right:,}\n"
            f"accuracy {found.difference:+.4f}, 95 % interval {found.low:+.4f} to "
            f"{found.high:+.4f}; p = {found.p_value:.3g} (McNemar)"
        )
    for one in done.requirements:
        met = {True: "met", False: "NOT MET", None: "not checked: there is no current model"}
        bound = "" if one.bound is None else f", bound {one.bound:.4f}"
        value = "undefined" if one.value is None else f"{one.value:.4f}"
        yield Text(printable(f"{one.requirement}: {value}{bound}: {met[one.met]}"))


def _measures(done: PromoteReport) -> Table:
    assert done.new, "it was measured"
    models = [done.new, *([done.current] if done.current else [])]
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("")
    for name in ("new", "current")[: len(models)]:
        table.add_column(name, justify="right")
    for name, told in (
        ("accuracy", "accuracy"),
        ("macro_f1", "macro F1"),
        ("ece", "expected calibration error"),
        ("answered", "answered"),
    ):
        table.add_row(told, *(_number(one.value(name, None)) for one in models))
    for label in done.new.labels:
        values = (_number(one.value("f1", label.label)) for one in models)
        table.add_row(Text(f"F1 of {shown_label(label.label)}"), *values)
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
