"""`--drift-history`: this run as one of a series."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from textbatch.data.json_text import json_text
from textbatch.data.output.drift_history import HistoryLine, ModelNight, add_line, read_history
from textbatch.data.output.records import RowTotals
from textbatch.data.storage.file_io import new_output
from textbatch.data.strict_json import to_json
from textbatch.errors import ConflictError, QualityGateError
from textbatch.model.quality.drift_series import DriftSeries, Night, drift_series
from textbatch.report.drift import series_told
from textbatch.report.files import only_warned
from textbatch.report.scoring import RunReport
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.drift_gate import check_drift, models_of
from textbatch.scoring.file_task import FileResult, ModelUsed


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
            "leave --drift-history out",
        )
    read_history(config.drift_history)
    # A place that a line cannot be added to is found before the rows are scored.
    new_output(Path(os.path.realpath(config.drift_history))).check()


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
    line = _line(config, rows, model, done, time)
    known = read_history(config.drift_history)
    lines = known if any(one.id == line.id for one in known) else [*known, line]
    for name, used, _, _ in models_of(rows, model, done):
        nights = _nights(lines, used.fingerprint)
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
    found = [series_told(one, name) for name, one in each if one and one.drifted]
    if found:
        raise QualityGateError(
            "; ".join(found),
            "look at the runs since then; train on labelled rows of them, or leave out "
            "--fail-on-drift",
        )


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


def _nights(lines: Sequence[HistoryLine], fingerprint: str | None) -> list[Night]:
    """The runs of one model. What another one has answered is another series."""
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
    # Not the tokens: of a run that went on they are those of its second part alone.
    counted = [[one.name, one.fingerprint, to_json(one.signs)] for one in nights]
    output = os.fspath(config.output)
    place = os.path.realpath(output) if isinstance(config.output, Path) else output
    told = json_text([place, rows.rows_in, counted], ascii_only=True)
    return HistoryLine(
        id=sha256(told.encode()).hexdigest(), time=time, rows=rows.rows_in, models=nights
    )
