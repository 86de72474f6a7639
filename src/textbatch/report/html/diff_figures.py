"""The figures of the page about a comparison. They hold no label."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter

from textbatch.report.html.svg import FIRST, MUTED, PAPER, SECOND, new_figure, to_svg


def confidences_figure(old: Sequence[int], new: Sequence[int]) -> Markup:
    """Draw the shares of rows by confidence: the new ones as bars, the old ones as a line.

    Args:
        old: Number of rows, in equal bins of the old confidence from 0 to 1.
        new: Number of rows, in the same bins of the new confidence.
    """
    figure = new_figure(height=300)
    axes = figure.subplots()
    bins = len(new)
    edges = [place / bins for place in range(bins + 1)]
    axes.bar(edges[:-1], _shares(new), 1 / bins, align="edge", color=FIRST, edgecolor=PAPER,
             linewidth=1)  # fmt: skip
    axes.stairs(_shares(old), edges, color=SECOND, linewidth=2.2, baseline=None)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share of rows")
    axes.grid(visible=False, axis="x")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    return to_svg(
        figure, "confidences", title="Confidences, old and new",
        description=f"{sum(old):,} rows by their old confidence, {sum(new):,} by the new one.",
    )  # fmt: skip


def shift_figure(bins: Sequence[int]) -> Markup:
    """Draw how far confidences have moved.

    Args:
        bins: Number of rows, in equal bins of the difference from -1 to 1.
    """
    figure = new_figure(height=300)
    axes = figure.subplots()
    width = 2 / len(bins)
    starts = [place * width - 1 for place in range(len(bins))]
    colors = [SECOND if start < -1e-9 else FIRST for start in starts]
    axes.bar(starts, _shares(bins), width, align="edge", color=colors, edgecolor=PAPER, linewidth=1)
    axes.axvline(0, color=MUTED, linewidth=1)
    reach = max(abs(start) for start, rows in zip(starts, bins, strict=True) if rows)
    reach = min(1.0, max(0.1, reach + width))
    axes.set_xlim(-reach, reach)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("new confidence less the old one")
    axes.set_ylabel("share of rows")
    axes.grid(visible=False, axis="x")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+.1f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    less = sum(bins[: len(bins) // 2])
    return to_svg(
        figure, "shift", title="How far confidences have moved",
        description=f"{sum(bins):,} rows; {less:,} have a smaller confidence than before.",
    )  # fmt: skip


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]
