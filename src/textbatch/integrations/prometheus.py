"""Writes metrics for the textfile collector of Prometheus's node exporter."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from textbatch.data.storage.atomic_file import atomic_file
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.location import local_only
from textbatch.errors import (
    MissingExtraError,
    UsageError,
    exit_code_of,
    printable,
)
from textbatch.report.scoring import ModelReport, RunReport

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric
    from prometheus_client.samples import Sample


#: A number, or one for each status, label or the like.
_Value = float | Mapping[str, float]
#: Of a longer file only the beginning is read back, in bytes.
_LONGEST_FILE = 16 << 20
#: What each metric means.
METRICS = {
    "textbatch_last_success_timestamp_seconds": "When a run last ended well.",
    "textbatch_last_failure_timestamp_seconds": "When a run last failed.",
    "textbatch_last_exit_code": "Exit code of the last run.",
    "textbatch_run_duration_seconds": "Wall time of the last good run.",
    "textbatch_rows_in": "Rows of the last good run's input; 0 if no file was new.",
    "textbatch_files_new": "Files that the last good run scored.",
    "textbatch_files_stale": "Parts of another model or other options, before the last good run.",
    "textbatch_files_rescored": "Those of them that the last good run scored anew.",
    "textbatch_files_bad": "Malformed files that the last good run has set aside.",
    "textbatch_rows": "Rows in the last output, by status.",
    "textbatch_rows_quarantined": "Rows that the last good run put into quarantine.",
    "textbatch_labelled_rows": "Rows in the last output, by predicted label.",
    "textbatch_mean_confidence": "Mean confidence of the rows with a label.",
    "textbatch_oov_share": "Share of tokens that the model does not know.",
    "textbatch_drift": "Share of rows that have moved since the model was measured, by what.",
    "textbatch_drift_p_value": "How often rows without drift differ at least as much, by what.",
    "textbatch_drifted": "1 if the difference is neither chance nor too small to matter.",
    "textbatch_drift_series": "Share of rows of a series of runs that have moved, by what.",
    "textbatch_drift_series_log10_e": "Base 10 logarithm of the evidence for that, by what.",
    "textbatch_drift_series_drifted": "1 if the series has moved, by enough to matter.",
    "textbatch_drift_series_runs": "Runs of the series, with the last good one.",
    "textbatch_estimated_accuracy": "Probable share of right answers, and its 95 % interval.",
    "textbatch_model_fingerprint_info": "1 for the model of the last good run.",
}
#: What the labels of a metric's samples are called, beside `task` and `model`.
_KINDS = {
    "textbatch_rows": "status",
    "textbatch_labelled_rows": "label",
    "textbatch_drift": "of",
    "textbatch_drift_p_value": "of",
    "textbatch_drifted": "of",
    "textbatch_drift_series": "of",
    "textbatch_drift_series_log10_e": "of",
    "textbatch_drift_series_drifted": "of",
    "textbatch_estimated_accuracy": "bound",
    "textbatch_model_fingerprint_info": "fingerprint",
}


@contextmanager
def failure_measured(path: Path | None) -> Iterator[None]:
    """If the body fails, write the failure and its time into the metrics file.

    Args:
        path: The metrics file; None writes nothing.

    Raises:
        ConflictError: It would be in an object store.
        UsageError: Its name does not end in `.prom`.
        MissingExtraError: prometheus-client is missing.
        OutputError: The file cannot be made there. Nothing has been done yet.
    """
    if path:
        _check(path)
    try:
        yield
    except BaseException as error:
        if path:
            with suppress(Exception):  # the first error is the one to tell
                code = exit_code_of(error)
                failed = {"textbatch_last_failure_timestamp_seconds": time.time()}
                _write(path, failed, code)
        raise


def write_success(path: Path, report: RunReport) -> None:
    """Write the metrics of a run that ended well. Of earlier runs only the last failure stays.

    Args:
        path: The metrics file.
        report: The report of the run.

    Raises:
        StorageError: The file cannot be written.
    """
    scored = 1 if report.state == "done" else 0
    values: dict[str, _Value] = {
        "textbatch_last_success_timestamp_seconds": time.time(),
        "textbatch_run_duration_seconds": report.seconds,
        "textbatch_rows_in": _number(report.rows_in),
        # As the rows: also those of the interrupted run that this one went on with.
        "textbatch_files_new": report.files["scored"] + report.files["resumed"]
        if report.files
        else scored,
        "textbatch_files_stale": (report.files or {}).get("stale", 0),
        "textbatch_files_rescored": (report.files or {}).get("rescored", 0),
        "textbatch_files_bad": len(report.bad_files),
        "textbatch_rows_quarantined": report.rows_quarantined,
    }
    of_models = {one.name: _of_model(one) for one in report.sections}
    _write(path, values, 0, of_models)


def _of_model(one: ModelReport) -> dict[str, _Value]:
    """The metrics of the answers of one model."""
    measures, right = one.drift.measures if one.drift else [], one.estimated_accuracy
    series = one.drift_series.measures if one.drift_series else []
    ends = {"estimate": right.accuracy, "low": right.low, "high": right.high} if right else {}
    return {
        "textbatch_rows": one.statuses,
        "textbatch_labelled_rows": one.labels,
        "textbatch_mean_confidence": _number(one.mean_confidence),
        "textbatch_oov_share": _number(one.oov_share),
        "textbatch_drift": {measure.of: measure.effect for measure in measures},
        "textbatch_drift_p_value": {measure.of: measure.p_value for measure in measures},
        "textbatch_drifted": {measure.of: float(measure.drifted) for measure in measures},
        "textbatch_drift_series": {measure.of: measure.effect for measure in series},
        "textbatch_drift_series_log10_e": {measure.of: measure.log10_e for measure in series},
        "textbatch_drift_series_drifted": {
            measure.of: float(measure.drifted) for measure in series
        },
        "textbatch_drift_series_runs": one.drift_series.runs if one.drift_series else 0,
        "textbatch_estimated_accuracy": ends,
        "textbatch_model_fingerprint_info": {} if one.fingerprint is None else {one.fingerprint: 1},
    }


def _check(path: Path) -> None:
    local_only(path, "--metrics-file")
    if path.suffix != ".prom":
        raise UsageError(
            f"--metrics-file {path} does not end in .prom", "the collector reads no others"
        )
    try:
        import prometheus_client  # noqa: F401
    except ImportError:
        raise MissingExtraError("--metrics-file", "prometheus-client", "prometheus") from None
    new_output(path).check()


def _write(
    path: Path,
    values: Mapping[str, _Value],
    code: int,
    of_models: Mapping[str, Mapping[str, _Value]] | None = None,
) -> None:
    from prometheus_client import CollectorRegistry, generate_latest

    families = _known(path)
    for name, value in {**values, "textbatch_last_exit_code": code}.items():
        families[name] = _family(name, {"": value}, task=path.stem)
    # A failure tells nothing of models: what the last good run told stays.
    names = next(iter(of_models.values()), {}) if of_models else {}
    for name in names:
        told = {model: one[name] for model, one in (of_models or {}).items()}
        families[name] = _family(name, told, task=path.stem)
    registry = CollectorRegistry()
    registry.register(_Families(list(families.values())))
    with atomic_file(path) as file:
        file.buffered.write(generate_latest(registry))


class _Families:
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _known(path: Path) -> dict[str, Metric]:
    """Read the metrics of the last run, so that a failure does not delete them.

    A line that cannot be read back is left out: with it no collector would read the file.
    """
    from prometheus_client.metrics_core import GaugeMetricFamily

    try:
        with path.open("rb") as file:
            lines = file.read(_LONGEST_FILE).decode("utf-8", "replace").split("\n")
    except OSError:
        return {}
    families: dict[str, Metric] = {}
    for sample in filter(None, map(_sample, lines)):
        if sample.name in METRICS:
            empty = GaugeMetricFamily(sample.name, METRICS[sample.name])
            families.setdefault(sample.name, empty).samples.append(sample)
    return families


def _sample(line: str) -> Sample | None:
    """Read a line of a metrics file; None if it is a comment or is no such line."""
    from prometheus_client.parser import text_string_to_metric_families

    # The parser takes other ends of lines too, which only stand in damaged files.
    if not line.isprintable():
        return None
    try:
        return next((one.samples[0] for one in text_string_to_metric_families(line)), None)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None


def _family(name: str, of_models: Mapping[str, _Value], *, task: str) -> Metric:
    """A metric: a number or several for each model; only the name of a model is a label."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    labels = ["task", *(["model"] if any(of_models) else [])]
    one = next(iter(of_models.values()))
    labels += [_KINDS[name]] if isinstance(one, Mapping) else []
    family = GaugeMetricFamily(name, METRICS[name], labels=labels)
    for model, value in of_models.items():
        common = [_value(task), *([_value(model)] if model else [])]
        if isinstance(value, Mapping):
            for key, count in value.items():
                family.add_metric([*common, _value(key)], count)
        else:
            family.add_metric(common, value)
    return family


def _value(text: str) -> str:
    """The value of a label. The client escapes line breaks, quotes and backslashes itself."""
    return "\n".join(map(printable, text.split("\n")))


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
