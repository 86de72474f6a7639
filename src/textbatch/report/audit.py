"""What an audit of labels found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from textbatch.errors import printable
from textbatch.report.run import SCHEMA_VERSION

#: Rows of the table: the most frequent pairs.
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What an audit did.

    Attributes:
        output: The file with the rows.
        rows: With a text and a known label.
        audited: Of them, with a word that the network knew.
        agreement: Share of the audited rows that the network gave the label that they have.
        found: Likely errors.
        pairs: `given` and `suggested` label and how many `rows`, the most frequent first.
        warnings: What the user should look at.
        state: `done`; the record of a failed run says `failed`.
    """

    output: str
    rows: int
    audited: int
    agreement: float
    found: int
    pairs: list[Mapping[str, Any]]
    warnings: list[str]
    state: str = "done"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}


def audit_tables(report: AuditReport) -> Iterator[RenderableType]:
    """Show the counts per pair of labels."""
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
        names = (Text(printable(pair["given"])), Text(printable(pair["suggested"])))
        table.add_row(*names, f"{pair['rows']:,}")
    yield table
    if len(report.pairs) > _SHOWN:
        yield Text(f"and {len(report.pairs) - _SHOWN:,} more pairs of labels")
