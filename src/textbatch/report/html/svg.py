"""Drawing with matplotlib: figures that follow the page's colours and repeat byte for byte."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Its notes about font caches, at import, would end up among a job's messages.
_log = logging.getLogger("matplotlib")
_level = _log.level
_log.setLevel(logging.ERROR)

import matplotlib as mpl  # noqa: E402
from markupsafe import Markup, escape  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

_log.setLevel(_level)

#: Stand-ins, put into the drawing and taken out of the SVG, for colours that the page defines.
INK, MUTED, GRID = "#a1b2c1", "#a1b2c2", "#a1b2c3"
FIRST, SECOND, PAPER = "#a1b2c4", "#a1b2c5", "#a1b2c6"
_VARIABLES = {
    INK: "ink", MUTED: "muted", GRID: "grid", FIRST: "first", SECOND: "second", PAPER: "card",
}  # fmt: skip

_STYLE: dict[Any, Any] = {
    # Words stay words: searchable, small, in the page's own font.
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 12.5,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.pad": 6,
    "ytick.major.pad": 6,
    "lines.linewidth": 2.2,
    "lines.solid_capstyle": "round",
    "lines.dash_capstyle": "round",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}
_POINTS_PER_INCH = 72


@contextmanager
def drawing() -> Iterator[None]:
    """Our style inside, whatever a matplotlibrc says; the caller's own again outside."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def new_figure(width: int = 460, height: int = 300) -> Figure:
    """An empty figure of so many units."""
    size = (width / _POINTS_PER_INCH, height / _POINTS_PER_INCH)
    return Figure(figsize=size, layout="constrained")


def to_svg(figure: Figure, name: str, *, title: str, description: str) -> Markup:
    """The figure as an SVG element to stand in a page.

    Args:
        figure: Drawn while `drawing()` was on, and it must still be.
        name: Unique on the page.
        title: Said by screen readers.
        description: The figure in words.
    """
    stream = io.StringIO()
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(stream, format="svg", metadata=no_metadata)
    drawn = stream.getvalue()
    box = re.search(r'viewBox="[\d. ]+"', drawn)
    body = drawn[drawn.index(">", drawn.index("<svg")) + 1 :]
    # Several figures on one page must not share ids; only the hashed ones are referred to.
    body = re.sub(r'<g id="[^"]*"', "<g", re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S))
    for stand_in, variable in _VARIABLES.items():
        body = body.replace(stand_in, f"var(--{variable})")
    opening = (
        f'<svg {box.group() if box else ""} role="img" '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>'
    )
    return Markup(opening + body.strip())  # matplotlib's own output: no label is in it
