"""The figures of the page about a scoring run. They hold no label."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, MaxNLocator

from textbatch.model.quality.drift_series import DriftSeries
from textbatch.report.html.svg import FIRST, INK, MUTED, PAPER, SECOND, new_figure, to_svg

#: Of each thing that is compared: its colour, and its line, for those who see no colours.
_LINES, _STYLES = (FIRST, SECOND, INK, MUTED), ("-", "--", ":", "-.")


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


def series_figure(series: DriftSeries, name: str) -> Markup:
    """Draw how far each run of a series is from the held-out rows, and where drift began.

    Args:
        series: The runs.
        name: A name of the figure, unique on the page.
    """
    figure = new_figure(height=320)
    axes = figure.subplots()
    for place, one in enumerate(series.measures):
        effects = [float("nan") if effect is None else effect for effect in one.effects]
        axes.plot(
            range(1, len(effects) + 1), effects, color=_LINES[place % len(_LINES)], linewidth=1.8,
            linestyle=_STYLES[place % len(_STYLES)], label=one.of,
            marker="o" if len(effects) < 30 else "", markersize=3.5,
        )  # fmt: skip
        if one.drifted:
            axes.axvline(one.since, color=_LINES[place % len(_LINES)], linewidth=1, alpha=0.6)
    axes.set_xlim(min(1, series.runs - 0.5), max(series.runs, 2))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("run")
    axes.set_ylabel("share that has moved")
    axes.grid(visible=False, axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    moved = [f"{one.of} since run {one.since:,}" for one in series.measures if one.drifted]
    return to_svg(
        figure, name, title="How far each run is from the held-out rows",
        description=f"{series.runs:,} runs; {', '.join(moved) or 'none'} has drifted.",
    )  # fmt: skip
