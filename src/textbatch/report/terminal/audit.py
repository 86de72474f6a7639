"""The result of `audit`, as tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from textbatch.errors import printable
from textbatch.report.audit import AuditReport
from textbatch.report.labels import shown_label

#: Number of rows of the table, which shows the most frequent pairs.
_SHOWN = 20


def audit_tables(report: AuditReport) -> Iterator[RenderableType]:
    """Show how many labels are likely wrong, and the count of each pair of labels."""
    yield Text(
        f"{report.found:,} of {report.audited:,} labels are likely wrong: "
        f"{printable(report.output)}"
    )
    yield Text(f"the network agrees with {report.agreement:.1%} of the labels")
    if not report.pairs:
        return
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("given", "suggested", "rows"):
        table.add_column(Text(name), justify="right" if name == "rows" else "left")
    for pair in report.pairs[:_SHOWN]:
        names = (Text(shown_label(pair.given)), Text(shown_label(pair.suggested)))
        table.add_row(*names, f"{pair.rows:,}")
    yield table
    if len(report.pairs) > _SHOWN:
        yield Text(f"and {len(report.pairs) - _SHOWN:,} more pairs of labels")
