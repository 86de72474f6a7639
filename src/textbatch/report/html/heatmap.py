"""The confusion matrix of many labels, as a figure without numbers."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Shape

from textbatch.report.html.svg import FIRST, SECOND, new_figure, to_svg

_SHADES = 6


def confusion_figure(confusion: Sequence[Sequence[int]]) -> Markup:
    """Draw a heat map. Labels are numbers; each cell is a share of the rows with its true label.

    Args:
        confusion: Number of rows for each true label (first axis) and predicted label (second
            axis). Shape `(labels, labels)`.
    """
    figure = new_figure(width=520, height=520)
    axes = figure.subplots()
    shapes: dict[tuple[str, int], list[Shape]] = {}
    for true, row in enumerate(confusion):
        for predicted, count in enumerate(row):
            if count:
                shade = min(_SHADES, 1 + int(_SHADES * count / sum(row)))
                color = FIRST if true == predicted else SECOND
                shapes.setdefault((color, shade), []).append(_cell(predicted + 1, true + 1))
    # One path for each shade: thousands of elements would make the page slow.
    for (color, shade), cells in sorted(shapes.items()):
        drawn = Shape.make_compound_path(*cells)
        axes.add_patch(
            PathPatch(drawn, facecolor=color, alpha=(shade + 1.5) / (_SHADES + 1.5), linewidth=0)
        )
    size = len(confusion)
    axes.set_xlim(0.5, size + 0.5)
    axes.set_ylim(size + 0.5, 0.5)
    axes.set_aspect("equal")
    axes.set_xlabel("predicted label, by number")
    axes.set_ylabel("true label, by number")
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    right = sum(row[i] for i, row in enumerate(confusion))
    return to_svg(
        figure, "confusion", title="Confusion matrix",
        description=f"{size} labels; {right:,} of {sum(map(sum, confusion)):,} rows lie on the "
        "diagonal. The table beside it lists the commonest confusions.",
    )  # fmt: skip


def _cell(x: int, y: int) -> Shape:
    low, high, left, right = y - 0.5, y + 0.5, x - 0.5, x + 0.5
    corners = [(left, low), (right, low), (right, high), (left, high), (left, low)]
    return Shape(corners, closed=True)
