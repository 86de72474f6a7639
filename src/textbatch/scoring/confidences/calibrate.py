"""The path of `calibrate`: read answers and truth → measure → fit a map → write confidences."""

from __future__ import annotations

import os
import uuid

import numpy as np
import pyarrow as pa

from textbatch.data.output.any_output import open_output
from textbatch.data.output.output_writer import OutputWriter
from textbatch.data.readers.column_names import shown
from textbatch.data.readers.plain_numbers import number_values
from textbatch.data.storage.file_io import new_output
from textbatch.errors import ConflictError, DataError, require_extra
from textbatch.model.quality.calibration import chance_calibration_error
from textbatch.model.quality.confidence_map import (
    ISOTONIC_ROWS,
    ConfidenceMap,
    MapMethod,
    calibration_gap,
    cross_fitted,
    fit_map,
    log_loss,
)
from textbatch.model.quality.reliability import bins_of
from textbatch.report.calibrating import CalibrateReport, MapMeasure
from textbatch.report.files import job_reported, write_json
from textbatch.report.listener import SILENT
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.confidences.answers import Known, known_answers, score_batches
from textbatch.scoring.confidences.options import CalibrateConfig
from textbatch.types import BoolArray, Float64Array

#: Fewer answers tell nothing about confidences.
_LEAST_ANSWERS = 20


def calibrate(config: CalibrateConfig, *, progress: Progress | None = None) -> CalibrateReport:
    """Compare confidences with the truth, fit a map, and write calibrated confidences.

    Args:
        config: The table, the truth and the output.
        progress: Called as rows are read.

    Returns:
        The measures and the map.

    Raises:
        MissingExtraError: The extra `train` is not installed.
        InputNotFoundError: There is no such file.
        DataError: A file is malformed, lacks a column, or too few rows have answer and truth.
        OutputError: The output exists, or its directory does not.
    """
    require_extra("calibrate", "train")
    with job_reported(config, lambda: {"scores": os.fspath(config.scores)}):
        if config.output:
            new_output(config.output).check(overwrite=config.if_exists == "replace")
        listener = progress or SILENT
        with step_of(listener, None, step="reading") as step:
            known = known_answers(config, step)
        if len(known.right) < _LEAST_ANSWERS:
            raise DataError(
                f"{len(known.right):,} rows have an answer, a confidence and a true label; at "
                f"least {_LEAST_ANSWERS} are needed",
                _remedy(config, known),
            )
        found = _measured(config, known)
        if config.output:
            _write(config, found.map, listener)
    if config.report:
        write_json(config.report, found.to_dict())
    return found


def _remedy(config: CalibrateConfig, known: Known) -> str:
    """What helps where too few answers can be compared with the truth."""
    if known.rows - known.unanswered < _LEAST_ANSWERS:
        return "check --predicted-column and --confidence-column, or give more rows"
    if config.truth is None or config.key:
        return "give more true labels"
    return (
        "give more true labels, or name the column that tells which rows belong together with --key"
    )


def _measured(config: CalibrateConfig, known: Known) -> CalibrateReport:
    confidence, right = known.confidence, known.right
    methods: list[MapMethod] = ["none", "logistic"]
    if len(right) >= ISOTONIC_ROWS or config.method == "isotonic":
        methods.append("isotonic")
    mapped = {method: cross_fitted(method, confidence, right) for method in methods}
    measures = [_measure(method, one, right) for method, one in mapped.items()]
    # Of methods that lose the same, the simplest.
    best = min(methods, key=lambda method: log_loss(mapped[method], right))
    chosen: MapMethod = best if config.method == "auto" else config.method
    return CalibrateReport(
        scores=os.fspath(config.scores),
        truth=os.fspath(config.truth) if config.truth else "",
        rows=known.rows,
        answers=len(right),
        unanswered=known.unanswered,
        untold=known.untold,
        unused=known.unused,
        accuracy=float(right.mean()),
        mean_confidence=float(confidence.mean()),
        ece_by_chance=chance_calibration_error(confidence[:, None].astype(np.float32)),
        measures=measures,
        map=fit_map(chosen, confidence, right),
        before=list(bins_of(confidence, right)),
        after=list(bins_of(mapped[chosen], right)),
        output=os.fspath(config.output) if config.output else "",
    )


def _measure(method: str, mapped: Float64Array, right: BoolArray) -> MapMeasure:
    return MapMeasure(
        method=method,
        log_loss=log_loss(mapped, right),
        brier=float(((mapped - right) ** 2).mean()),
        ece=calibration_gap(mapped, right),
    )


def _write(config: CalibrateConfig, chosen: ConfidenceMap, progress: Progress) -> None:
    output: OutputWriter | None = None
    try:
        with step_of(progress, None, step="writing") as step:
            for source, batch in score_batches(config, None):
                schema = source.schema.remove_metadata()
                if config.output_column in schema.names:
                    raise ConflictError(
                        f"{source.file} has a column {shown(config.output_column)} already",
                        "give the new one another name with --output-column",
                    )
                schema = schema.append(pa.field(config.output_column, pa.float64()))
                if output is None:
                    output = _opened(config, schema)
                    first = schema
                elif not schema.equals(first):
                    raise DataError(
                        f"{source.file} has other columns than the file before it",
                        "calibrate the files one by one",
                    )
                mapped = chosen(number_values(batch.column(config.confidence_column)))
                added = pa.array(mapped, mask=np.isnan(mapped))
                columns = [one.cast(kind) for one, kind in zip(batch.columns, schema.types[:-1],
                                                              strict=True)]  # fmt: skip
                output.write(pa.record_batch([*columns, added], schema=schema))
                step.advance(len(batch))
        assert output is not None, "there are rows with answers"
        output.commit({})
    except BaseException:
        if output is not None:
            output.abort()
        raise


def _opened(config: CalibrateConfig, schema: pa.Schema) -> OutputWriter:
    assert config.output is not None
    return open_output(
        config.output,
        schema,
        run_id=uuid.uuid4().hex[:16],
        overwrite=config.if_exists == "replace",
        types={},
        quote_empty=True,
    )
