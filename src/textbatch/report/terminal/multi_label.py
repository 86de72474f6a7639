"""Tables for the terminal about models that give a text any number of labels."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from textbatch.report.inline import Row
from textbatch.report.labels import shown_model
from textbatch.report.multi_label import MultiLabelEvaluation, MultiLabelReport
from textbatch.report.terminal.tables import plain_table


def set_tables(found: MultiLabelEvaluation) -> Iterator[RenderableType]:
    """Show an evaluation: summary, labels, and the rows that were left out."""
    facts = [f"{name} {value}" for name, value in found.facts().items()]
    yield Text(f"{found.metrics.rows:,} rows: {', '.join(facts[:3])}\n{', '.join(facts[3:])}")
    yield _table(found.label_table())
    statuses = {name: count for name, count in found.statuses.items() if name != "ok"}
    if statuses:
        told = ", ".join(f"{name} {count:,}" for name, count in statuses.items())
        yield Text(f"not plainly ok: {told}")
    for line in found.left_out():
        yield Text(line)


def training_parts(done: MultiLabelReport) -> Iterator[RenderableType]:
    """Show what a training made: its measures, beside those of the baseline."""
    yield from set_tables(done.test)
    yield _table(done.comparison())
    # Text, so that nothing in it is taken for markup.
    yield Text(
        f"{shown_model(done.model)}: the model, of epoch {done.best_epoch} of {len(done.epochs)}, "
        f"made in {done.seconds:.0f} s. Each label has a calibrated probability and a threshold"
    )


def _table(told: tuple[Row, list[Row]]) -> RenderableType:
    heads, rows = told
    table = plain_table(*heads)
    for row in rows:
        table.add_row(*map(Text, row))
    return table
