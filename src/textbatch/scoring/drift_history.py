"""`--drift-history`: this run as one of a series."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from textbatch.data.json_text import json_text
from textbatch.data.output.drift_history import HistoryLine, ModelNight, add_line, read_history
from textbatch.data.output.records import RowTotals
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.location import Location
from textbatch.data.strict_json import to_json
from textbatch.errors import ConflictError, QualityGateError
from textbatch.model.quality.drift_series import DriftSeries, Night, drift_series
from textbatch.report.drift import series_told
from textbatch.report.files import only_warned
from textbatch.report.scoring import RunReport
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.drift_gate import check_drift, models_of
from textbatch.scoring.file_task import FileResult, ModelUsed

_REMEDY = (
    "look at the runs since then; train on labelled rows of them, or leave out --fail-on-drift"
)


def check_history(config: ScoreConfig) -> None:
    """Check that a run can be one of a series, before it begins.

    Args:
        config: The options of the run.

    Raises:
        ConflictError: It is a share of a job.
        DataError: The file holds something else.
        OutputError: It is a folder or a device, or its directory does not exist.
        AccessError: Nothing may be written there.
        StorageError: It cannot be read.
    """
    if config.drift_history is None:
        return
    if config.shard is not None:
        raise ConflictError(
            "--drift-history is about whole jobs, and --shard does a share of one",
            "give it to `textbatch finish`, which knows the rows of all shares",
        )
    check_place(config.drift_history)


def check_place(history: Path) -> None:
    """Check that a line can be added to a history, before the work.

    Args:
        history: The file.

    Raises:
        DataError: The file holds something else.
        OutputError: It is a folder or a device, or its directory does not exist.
        AccessError: Nothing may be written there.
        StorageError: It cannot be read.
    """
    read_history(history)
    # A place that a line cannot be added to is found before the rows are scored.
    new_output(Path(os.path.realpath(history))).check()


def series_of_models(
    config: ScoreConfig,
    rows: RowTotals,
    model: ModelUsed,
    done: FileResult,
    time: str,
    *,
    pictured: bool = True,
) -> Iterator[tuple[str, DriftSeries | None]]:
    """Look for drift in the runs so far and in this one.

    Args:
        config: The options of the run; they name the history.
        rows: What was counted of the whole job.
        model: What answered.
        done: Tells of tokens.
        time: When the run began.
        pictured: Whether to compare each run alone too, for a picture.

    Yields:
        The name of each model, empty for one alone, and what was found.
    """
    assert config.drift_history is not None
    lines = with_line(config.drift_history, _line(config, rows, model, done, time))
    for name, used, _, _ in models_of(rows, model, done):
        nights = nights_of(lines, used.fingerprint)
        yield name, drift_series(used.reference, nights, pictured=pictured)


def judge(config: ScoreConfig, rows: RowTotals, model: ModelUsed, done: FileResult) -> None:
    """Refuse to publish a run that, alone or with those before it, is unlike the held-out rows.

    Args:
        config: The options of the run.
        rows: What was counted of the whole job.
        model: What answered.
        done: Tells of tokens.

    Raises:
        QualityGateError: It is.
    """
    check_drift(rows, model, done)
    if config.drift_history is None:
        return
    now = datetime.now(UTC).isoformat(timespec="seconds")
    each = series_of_models(config, rows, model, done, now, pictured=False)
    check_series(each, _REMEDY)


def check_series(each: Iterable[tuple[str, DriftSeries | None]], remedy: str) -> None:
    """Refuse to publish a run whose series has moved.

    Args:
        each: The name of each model, and how its series is.
        remedy: What to do.

    Raises:
        QualityGateError: One has moved.
    """
    found = [series_told(one, name) for name, one in each if one and one.drifted]
    if found:
        raise QualityGateError("; ".join(found), remedy)


def with_series(
    report: RunReport, config: ScoreConfig, rows: RowTotals, model: ModelUsed, done: FileResult
) -> RunReport:
    """Add a run that is published to its history, and the series to its report.

    Args:
        report: The report of the run.
        config: The options of the run.
        rows: What was counted of the whole job.
        model: What answered.
        done: The result; a dry run adds nothing.
    """
    if config.drift_history is None or done.state not in ("done", "skipped"):
        return report
    with only_warned(f"the history {config.drift_history}", report.notes.append):
        add_line(config.drift_history, _line(config, rows, model, done, report.started))
        found = dict(series_of_models(config, rows, model, done, report.started))
        if not report.models:
            return replace(report, drift_series=found.get(""))
        alone = len(report.models) == 1
        models = [
            replace(one, drift_series=found.get("" if alone else one.name)) for one in report.models
        ]
        return replace(report, models=models)
    return report


def with_line(history: Path, line: HistoryLine) -> list[HistoryLine]:
    """The runs of a history and this one, unless it is there.

    Args:
        history: The file.
        line: This run.
    """
    known = read_history(history)
    return known if any(one.id == line.id for one in known) else [*known, line]


def nights_of(lines: Sequence[HistoryLine], fingerprint: str | None) -> list[Night]:
    """The runs of one model. What another one has answered is another series.

    Args:
        lines: The runs of a history.
        fingerprint: That of the model's bundle.
    """
    return [
        Night(time=line.time, signs=one.signs, unknown=one.unknown)
        for line in lines
        for one in line.models
        if one.fingerprint == fingerprint
    ]


def _line(
    config: ScoreConfig, rows: RowTotals, model: ModelUsed, done: FileResult, time: str
) -> HistoryLine:
    nights = [
        ModelNight(
            name=name,
            fingerprint=used.fingerprint,
            signs=signs,
            unknown=work.spread if work.spread.tokens else None,
        )
        for name, used, signs, work in models_of(rows, model, done)
        if used.fingerprint and signs is not None
    ]
    return line_of(config.output, rows.rows_in, nights, time)


def line_of(output: Location, rows: int, models: list[ModelNight], time: str) -> HistoryLine:
    """What is kept of a run.

    Args:
        output: Where its rows are.
        rows: How many it read.
        models: What each model has answered.
        time: When it began, UTC, ISO 8601.
    """
    # Not the tokens: of a run that went on they are those of its second part alone.
    counted = [[one.name, one.fingerprint, to_json(one.signs)] for one in models]
    place = os.path.realpath(output) if isinstance(output, Path) else os.fspath(output)
    told = json_text([place, rows, counted], ascii_only=True)
    return HistoryLine(id=sha256(told.encode()).hexdigest(), time=time, rows=rows, models=models)
