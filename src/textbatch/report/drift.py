"""How far a run is from the rows that its model was measured on, in words."""

from __future__ import annotations

from collections.abc import Iterator

from textbatch.model.quality.drift import MEASURES, Drift, DriftMeasure
from textbatch.model.quality.drift_series import DriftSeries, SeriesMeasure
from textbatch.report.labels import shown_label
from textbatch.report.scoring import RunReport

_NAMED = 3


def drift_told(found: Drift, name: str = "") -> str:
    """Say what has drifted.

    Args:
        found: What was found.
        name: The name of the model; empty for one alone.
    """
    whose = f"model {name}" if name else "the model"
    return f"the rows are unlike those that {whose} was measured on: {measures_told(found)}"


def measures_told(found: Drift) -> str:
    """Say what has drifted, the largest effect first."""
    worst = found.worst
    told = ", ".join(map(measure_told, worst[:_NAMED]))
    more = f", and {len(worst) - _NAMED} more" if len(worst) > _NAMED else ""
    return f"{told}{more}"


def series_told(found: DriftSeries, name: str = "") -> str:
    """Say what has drifted in a series of runs, and since when.

    Args:
        found: What was found.
        name: The name of the model; empty for one alone.
    """
    whose = f"model {name}" if name else "the model"
    worst = sorted((one for one in found.measures if one.drifted), key=lambda one: -one.effect)
    first = min(worst, key=lambda one: one.since)
    since = f"run {first.since:,} ({first.since_time[:10]})"
    told = ", ".join(_series_measure_told(one, first.since) for one in worst)
    return (
        f"of {found.runs:,} runs those since {since} are unlike the rows that {whose} was "
        f"measured on: {told}"
    )


def _series_measure_told(one: SeriesMeasure, first: int) -> str:
    """Say how much a series has moved in one thing, how sure that is, and if later, since when."""
    moved = f"{one.before:.1%} before, {one.now:.1%} since"
    if one.where:
        where = shown_label(one.where) if one.of == "labels" else one.where
        moved = f"{one.effect:.0%} of the rows have moved, {where} most: {moved}"
    later = f" since run {one.since:,}" if one.since > first else ""
    return f"{MEASURES[one.of]}{later} ({moved}; e-value 10^{one.log10_e:.0f})"


def measure_told(one: DriftMeasure) -> str:
    """Say how large a difference is, where to look, and how surprising."""
    moved = f"{one.before:.1%} before, {one.now:.1%} now"
    if one.where:
        moved = f"{one.effect:.0%} of the rows have moved, {place_of(one)} most: {moved}"
    return f"{MEASURES[one.of]} ({moved}; {p_told(one.p_value)})"


def place_of(one: DriftMeasure) -> str:
    """What has moved most, as it is shown."""
    return shown_label(one.where) if one.of == "labels" else one.where


def p_told(value: float) -> str:
    """A p-value with as many digits as matter."""
    if value < 1e-12:
        return "p < 1e-12"
    return f"p = {value:.2g}" if value < 0.1 else f"p = {value:.2f}"


def drift_notes(done: RunReport) -> Iterator[str]:
    """What a run says of each model whose rows have drifted."""
    for one in done.sections:
        if one.drift and one.drift.drifted:
            yield f"warning: {drift_told(one.drift, one.name)}"
        if one.drift_series and one.drift_series.drifted:
            yield f"warning: {series_told(one.drift_series, one.name)}"
