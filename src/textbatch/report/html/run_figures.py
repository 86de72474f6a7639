"""The figures of the page about a scoring run. They hold no label."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, MaxNLocator

from textbatch.report.html.svg import FIRST, PAPER, SECOND, new_figure, to_svg


def run_confidence_figure(found: Sequence[int], training: Sequence[int]) -> Markup:
    """Draw the shares of rows by confidence: of the run as bars, of the training as a line.

    Args:
        found: Number of rows of the run, in equal bins of confidence from 0 to 1.
        training: Number of held-out rows of the training, in the same bins.
    """
    figure = new_figure(height=300)
    axes = figure.subplots()
    bins = len(found)
    edges = [i / bins for i in range(bins + 1)]
    total = sum(found) or 1
    axes.bar(edges[:-1], [count / total for count in found], 1 / bins, align="edge", color=FIRST,
             edgecolor=PAPER, linewidth=1)  # fmt: skip
    if sum(training):
        shares = [count / sum(training) for count in training]
        axes.stairs(shares, edges, color=SECOND, linewidth=2.2, baseline=None)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share of rows")
    axes.grid(visible=False, axis="x")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    sure = sum(found[-2 * bins // 20 :])
    return to_svg(
        figure, "run-confidences", title="Confidences of the run",
        description=f"{sum(found):,} rows by confidence; {sure / total:.0%} have a confidence of "
        "at least 0.9.",
    )  # fmt: skip


def rate_figure(rates: Sequence[tuple[float, float]]) -> Markup:
    """Draw the rows per second over the time of the run.

    Args:
        rates: Pairs of seconds since the beginning, and rows per second. Not empty.
    """
    figure = new_figure()
    axes = figure.subplots()
    seconds, speeds = zip(*rates, strict=True)
    in_minutes = seconds[-1] > 300
    shown = [second / 60 for second in seconds] if in_minutes else list(seconds)
    axes.fill_between(shown, speeds, color=FIRST, alpha=0.15, linewidth=0)
    axes.plot(shown, speeds, color=FIRST, marker="o" if len(rates) < 30 else "", markersize=3.5)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes since the first row" if in_minutes else "seconds since the first row")
    axes.set_ylabel("rows/s")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    return to_svg(
        figure, "rates", title="Throughput over time",
        description=f"From {min(speeds):,.0f} to {max(speeds):,.0f} rows a second.",
    )  # fmt: skip
