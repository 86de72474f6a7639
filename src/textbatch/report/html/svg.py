"""Draws with matplotlib. Figures have the colours of the page, and the same bytes every time."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# On import it logs notes about font caches. They do not belong among the messages of a job.
_log = logging.getLogger("matplotlib")
_level = _log.level
_log.setLevel(logging.ERROR)

import matplotlib as mpl  # noqa: E402
from markupsafe import Markup, escape  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

_log.setLevel(_level)

#: Placeholders for the colours that the page defines. In the SVG they are replaced by variables.
INK, MUTED, GRID = "#a1b2c1", "#a1b2c2", "#a1b2c3"
FIRST, SECOND, PAPER = "#a1b2c4", "#a1b2c5", "#a1b2c6"
_VARIABLES = {
    INK: "ink", MUTED: "muted", GRID: "grid", FIRST: "first", SECOND: "second", PAPER: "card",
}  # fmt: skip

_STYLE: dict[Any, Any] = {
    # Text stays text: it can be searched, is small, and has the font of the page.
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
    """Draw in our style, whatever a matplotlibrc says. Afterwards the old style is back."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def new_figure(width: int = 460, height: int = 300) -> Figure:
    """Make an empty figure.

    Args:
        width: In units of the SVG.
        height: In units of the SVG.
    """
    size = (width / _POINTS_PER_INCH, height / _POINTS_PER_INCH)
    return Figure(figsize=size, layout="constrained")


def to_svg(figure: Figure, name: str, *, title: str, description: str) -> Markup:
    """Turn a figure into an SVG element for a page.

    Args:
        figure: The figure. It was drawn inside `drawing()`, and this call is inside too.
        name: A name, unique on the page.
        title: The title, for screen readers.
        description: The figure in words, for screen readers.
    """
    stream = io.StringIO()
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(stream, format="svg", metadata=no_metadata)
    drawn = stream.getvalue()
    box = re.search(r'viewBox="[\d. ]+"', drawn)
    body = drawn[drawn.index(">", drawn.index("<svg")) + 1 :]
    # Figures on one page must not have equal ids. Nothing refers to the ids that are removed.
    body = re.sub(r'<g id="[^"]*"', "<g", re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S))
    for stand_in, variable in _VARIABLES.items():
        body = body.replace(stand_in, f"var(--{variable})")
    opening = (
        f'<svg {box.group() if box else ""} role="img" '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>'
    )
    return Markup(opening + body.strip())  # safe: it is matplotlib's output, without any label
