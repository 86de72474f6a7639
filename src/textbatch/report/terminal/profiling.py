"""The result of `profile`, as tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from textbatch.errors import printable
from textbatch.model.quality.drift import MEASURES, Drift
from textbatch.report.drift import p_told, place_of
from textbatch.report.profiling import ProfileReport


def profile_tables(found: ProfileReport) -> Iterator[RenderableType]:
    """Show what the texts are like; of two files also how the second differs.

    Args:
        found: The report.
    """
    heads, rows = found.facts()
    table = _table(*heads)
    for name, *values in rows:
        table.add_row(name, *values)
    yield table
    if found.drift:
        yield from _drift(found.drift)


def _drift(found: Drift) -> Iterator[RenderableType]:
    table = _table("what", "moved", "p", "most", "before", "now")
    for one in sorted(found.measures, key=lambda one: -one.effect):
        table.add_row(
            Text(f"{MEASURES[one.of]}{' – drifted' if one.drifted else ''}"),
            f"{one.effect:.1%}",
            p_told(one.p_value).removeprefix("p = ").removeprefix("p "),
            Text(place_of(one) or "–"),
            f"{one.before:.1%}",
            f"{one.now:.1%}",
        )
    yield table
    told = "has drifted" if found.drifted else "no drift, as far as can be told"
    yield Text(f"{found.rows:,} rows against {found.reference_rows:,}: {told}")


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for place, name in enumerate(heads):
        words = place == 0 or name == "most"
        table.add_column(Text(printable(name)), justify="left" if words else "right")
    return table
