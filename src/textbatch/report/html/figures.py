"""The figures of the page. They hold numbers and our own words; labels are only in its tables."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.typing import LineStyleType

from textbatch.model.fitting.settings import Epoch
from textbatch.model.quality.reliability import LengthHistogram, ReliabilityBin
from textbatch.report.html.svg import FIRST, INK, MUTED, PAPER, SECOND, new_figure, to_svg

#: Bins of fewer rows are drawn as single points, beside the line of the reliability diagram.
FEW_ROWS = 10


def curve_figure(epochs: Sequence[Epoch], best: int, *, of: str) -> Markup:
    """Draw loss or accuracy of training and validation, by epoch.

    Args:
        epochs: What each epoch measured.
        best: Number of the epoch whose weights were kept.
        of: `loss` or `accuracy`.
    """
    numbers = [epoch.number for epoch in epochs]
    if of == "loss":
        training = [epoch.loss for epoch in epochs]
        validation = [epoch.validation_loss for epoch in epochs]
    else:
        training = [epoch.accuracy for epoch in epochs]
        validation = [epoch.validation_accuracy for epoch in epochs]
    figure = new_figure()
    axes = figure.subplots()
    axes.plot(numbers, training, color=SECOND, linestyle=(0, (4, 2.5)), marker="o", markersize=3.5)
    axes.plot(numbers, validation, color=FIRST, marker="o", markersize=3.5)
    kept = validation[numbers.index(best)]
    axes.axvline(best, color=MUTED, linewidth=1, linestyle=(0, (1, 2.5)))
    axes.plot([best], [kept], color=FIRST, marker="o", markersize=10, markerfacecolor=PAPER,
              markeredgewidth=2.2)  # fmt: skip
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(min(numbers) - 0.4, max(numbers) + 0.4)
    if of == "loss":
        axes.set_ylim(bottom=0)
    else:
        _as_percent(axes, "y")
    return to_svg(
        figure, f"curve-{of}",
        title=f"Training curves: {of}",
        description=f"{len(numbers)} epochs. Epoch {best} was kept, with a validation {of} of "
        f"{kept:.4f}. The last epoch had {training[-1]:.4f} in training and "
        f"{validation[-1]:.4f} in validation.",
    )  # fmt: skip


def reliability_figure(before: Sequence[ReliabilityBin], after: Sequence[ReliabilityBin]) -> Markup:
    """Draw accuracy against confidence, with the number of rows in each bin below.

    Args:
        before: Bins before calibration.
        after: Bins after calibration.
    """
    figure = new_figure(height=400)
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1.2, linestyle=(0, (1, 2.5)))
    _reliability(axes, before, SECOND, dashes=(0, (4, 2.5)), face=PAPER)
    _reliability(axes, after, FIRST, dashes="-", face=FIRST)
    axes.set_ylabel("accuracy")
    axes.set_ylim(-0.03, 1.03)
    for axis in ("x", "y"):
        _as_percent(axes, axis)
    _bars(counts, [entry.low for entry in after], [entry.high for entry in after],
          [entry.rows for entry in after], FIRST)  # fmt: skip
    most = max(entry.rows for entry in after)
    for entry in after:
        if entry.rows:
            counts.text((entry.low + entry.high) / 2, entry.rows + most * 0.06, f"{entry.rows}",
                        ha="center", size=9.5 if most < 10_000 else 7.5, color=INK)  # fmt: skip
    counts.set_ylim(0, most * 1.3)
    counts.set_yticks([])
    counts.set_ylabel("rows")
    counts.grid(visible=False)
    counts.set_xlim(0, 1)
    counts.set_xlabel("confidence")
    told = "; ".join(
        f"{entry.low:.2f} to {entry.high:.2f}: accuracy {entry.accuracy:.2f}, {entry.rows} rows"
        for entry in after
        if entry.accuracy is not None
    )
    return to_svg(figure, "reliability", title="Reliability diagram",
                  description=f"After calibration, by confidence: {told}.")  # fmt: skip


def _reliability(
    axes: Axes, bins: Sequence[ReliabilityBin], color: str, *, dashes: LineStyleType, face: str
) -> None:
    # A line through bins of one or two rows would show chance.
    for few in (False, True):
        chosen = [e for e in bins if e.rows and (e.rows < FEW_ROWS) == few]
        axes.plot(
            [e.confidence for e in chosen if e.confidence is not None],
            [e.accuracy for e in chosen if e.accuracy is not None],
            color=color,
            linestyle="none" if few else dashes,
            marker="o",
            markersize=3.5 if few else 5.5,
            markerfacecolor=face,
            markeredgewidth=1.0 if few else 1.8,
            alpha=0.6 if few else 1.0,
        )


def confidence_figure(right: Sequence[int], wrong: Sequence[int]) -> Markup:
    """Draw the number of rows by confidence, the wrong answers on top of the right ones.

    Args:
        right: Number of right answers in equal bins of confidence from 0 to 1.
        wrong: Number of wrong answers in the same bins.
    """
    figure = new_figure(height=400)
    axes = figure.subplots()
    step = 1 / len(right)
    lows = [i * step for i in range(len(right))]
    highs = [low + step for low in lows]
    _bars(axes, lows, highs, right, FIRST)
    _bars(axes, lows, highs, wrong, SECOND, bottoms=right)
    axes.set_xlim(0, 1)
    axes.set_xlabel("confidence")
    axes.set_ylabel("rows")
    axes.grid(visible=False, axis="x")
    _as_percent(axes, "x")
    _with_commas(axes)
    sure = sum(right[-2:]) + sum(wrong[-2:])
    return to_svg(
        figure, "confidences", title="Confidence histogram",
        description=f"{sum(right):,} right and {sum(wrong):,} wrong rows by confidence; "
        f"{sure:,} rows have a confidence of at least 0.9, {sum(wrong[-2:]):,} of them wrong.",
    )  # fmt: skip


def length_figure(lengths: LengthHistogram) -> Markup:
    """Draw the number of texts by length, those beyond the limit in another colour."""
    figure = new_figure(height=280)
    axes = figure.subplots()
    lows, highs = lengths.edges[:-1], lengths.edges[1:]
    for cut, color in ((False, FIRST), (True, SECOND)):
        chosen = [i for i, low in enumerate(lows) if (low > lengths.limit) == cut]
        _bars(axes, [lows[i] - 0.5 for i in chosen], [highs[i] - 0.5 for i in chosen],
              [lengths.counts[i] for i in chosen], color)  # fmt: skip
    axes.axvline(lengths.limit + 0.5, color=INK, linewidth=1.4, linestyle=(0, (4, 2.5)))
    axes.set_xlim(0.5, lengths.edges[-1] - 0.5)
    axes.set_ylim(0, max(lengths.counts) * 1.12)
    axes.set_xlabel("tokens in a text")
    axes.set_ylabel("texts")
    axes.grid(visible=False, axis="x")
    _with_commas(axes)
    return to_svg(
        figure, "lengths", title="Lengths of the training texts",
        description=f"{sum(lengths.counts):,} texts with a median of {lengths.median:g} and at "
        f"most {lengths.longest:,} tokens; {lengths.cut:,} are longer than the limit of "
        f"{lengths.limit} tokens and lose their end.",
    )  # fmt: skip


def _bars(
    axes: Axes,
    lows: Sequence[float],
    highs: Sequence[float],
    heights: Sequence[int],
    color: str,
    *,
    bottoms: Sequence[int] | None = None,
) -> None:
    widths = [high - low for low, high in zip(lows, highs, strict=True)]
    axes.bar(lows, heights, widths, bottom=bottoms or [0] * len(lows), align="edge", color=color,
             edgecolor=PAPER, linewidth=1)  # fmt: skip


def _as_percent(axes: Axes, which: str) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))


def _with_commas(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
