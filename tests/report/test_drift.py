"""What is said of drift."""

from __future__ import annotations

from dataclasses import replace

from textbatch.model.quality.drift_series import DriftSeries, SeriesMeasure
from textbatch.report.drift import series_told

LENGTHS = SeriesMeasure(
    of="lengths",
    log10_e=9.2,
    since=10,
    since_time="2026-01-10T02:00:00+00:00",
    effect=0.3,
    effect_low=0.2,
    where="8 to 11",
    before=0.5,
    now=0.2,
    drifted=True,
)
LABELS = replace(LENGTHS, of="labels", since=7, since_time="2026-01-07", effect=0.2, where="a")


def test_a_series_is_told_from_the_first_run_that_moved():
    still = replace(LABELS, of="unknown", since=1, drifted=False)
    found = DriftSeries(
        drifted=True, runs=14, rows=9, times=("", ""), measures=[LENGTHS, LABELS, still]
    )
    told = series_told(found, "topic")
    assert told.startswith(
        "of 14 runs those since run 7 (2026-01-07) are unlike the rows that model topic was "
        "measured on: lengths of the texts since run 10 (30% of the rows have moved"
    )
    assert "mix of labels (20% of the rows have moved" in told
    assert "unknown" not in told
