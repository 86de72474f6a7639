"""The metrics file: escaped by the client library, and read back whatever it holds."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from textbatch.data.output.signs import Signs
from textbatch.errors import DataError
from textbatch.integrations.prometheus import failure_measured, write_success
from textbatch.model.quality.drift import drift_between
from textbatch.model.quality.drift_series import DriftSeries, SeriesMeasure
from textbatch.model.quality.estimated_accuracy import EstimatedAccuracy
from textbatch.report.scoring import RunReport

LABELS = {
    "plain": 1,
    'quote " and \\ backslash': 2,
    "line\nbreak": 3,
    "return\rhere": 4,
    "next\x85line\u2028and\u2029more": 5,
    "\x1b[2J\u202e\udcff": 6,
    'forged"} 1\ntextbatch_rows{status="ok"} 7': 7,
    "": 8,
}


def report(**changes):
    fields = {
        "run_id": "b" * 16,
        "input": "in",
        "output": "out",
        "model": "m",
        "textbatch": "1",
        "started": "2026-01-01",
        "state": "done",
        "labels": LABELS,
        "statuses": {"ok": 36},
        "mean_confidence": 0.5,
        "tokens": 10,
        **changes,
    }
    return RunReport(**fields)


def samples(path):
    text = path.read_bytes().decode()
    assert all(line.isprintable() for line in text.split("\n"))
    return [one for family in text_string_to_metric_families(text) for one in family.samples]


def fail(path):
    with pytest.raises(DataError), failure_measured(path):
        raise DataError("no")


def by_labels(path, name):
    return {
        tuple(value for key, value in one.labels.items() if key != "task"): one.value
        for one in samples(path)
        if one.name == name
    }


def test_a_night_without_input_shows_nothing_of_the_night_before(tmp_path):
    path = tmp_path / "m.prom"
    files = {
        "found": 3,
        "scored": 3,
        "resumed": 0,
        "known": 0,
        "stray": 0,
        "stale": 0,
        "rescored": 0,
    }
    write_success(path, report(rows_in=36, fingerprint="f" * 16, files=files))
    assert by_labels(path, "textbatch_rows_in") == {(): 36}
    assert by_labels(path, "textbatch_files_new") == {(): 3}
    assert by_labels(path, "textbatch_model_fingerprint_info") == {("f" * 16,): 1}
    fail(path)
    nothing = {"labels": {}, "statuses": {}, "mean_confidence": None, "tokens": 0}
    files = {
        "found": 3,
        "scored": 0,
        "resumed": 0,
        "known": 3,
        "stray": 0,
        "stale": 0,
        "rescored": 0,
    }
    write_success(path, report(state="skipped", files=files, **nothing))
    assert by_labels(path, "textbatch_rows_in") == by_labels(path, "textbatch_files_new") == {(): 0}
    for name in ("rows", "labelled_rows", "model_fingerprint_info"):
        assert not by_labels(path, f"textbatch_{name}")
    assert by_labels(path, "textbatch_last_failure_timestamp_seconds")


def test_drift_and_the_estimated_accuracy_are_told(tmp_path):
    path = tmp_path / "m.prom"
    signs = [
        Signs(answers={"a": a, "b": b}, confidences=[a + b], confidence_sums=[0])
        for a, b in ((50, 50), (5, 95))
    ]
    right = EstimatedAccuracy(accuracy=0.9, low=0.8, high=0.95, rows=100, held_out=50)
    write_success(path, report(drift=drift_between(*signs), estimated_accuracy=right))
    assert by_labels(path, "textbatch_drift")[("labels",)] == pytest.approx(0.45, abs=0.02)
    assert by_labels(path, "textbatch_drift_p_value")[("labels",)] < 1e-9
    assert by_labels(path, "textbatch_drifted") == {("labels",): 1, ("confidences",): 0}
    assert by_labels(path, "textbatch_estimated_accuracy") == {
        ("estimate",): 0.9,
        ("low",): 0.8,
        ("high",): 0.95,
    }
    write_success(path, report())
    assert not by_labels(path, "textbatch_drift")


def test_a_series_of_runs_is_told_and_a_run_without_one_forgets_it(tmp_path):
    path = tmp_path / "m.prom"
    measures = [
        SeriesMeasure(
            of=of, log10_e=e, since=2, since_time="2026-01-02", effect=0.25, effect_low=0.2,
            where="a", before=0.5, now=0.75, drifted=e > 4,
        )
        for of, e in (("labels", 9.5), ("lengths", -1.0))
    ]  # fmt: skip
    series = DriftSeries(drifted=True, runs=3, rows=300, times=("a", "b"), measures=measures)
    write_success(path, report(drift_series=series))
    assert by_labels(path, "textbatch_drift_series_drifted") == {("labels",): 1, ("lengths",): 0}
    assert by_labels(path, "textbatch_drift_series_log10_e")[("lengths",)] == -1
    assert by_labels(path, "textbatch_drift_series")[("labels",)] == 0.25
    assert by_labels(path, "textbatch_drift_series_runs") == {(): 3}
    write_success(path, report())
    assert not by_labels(path, "textbatch_drift_series_drifted")
    assert by_labels(path, "textbatch_drift_series_runs") == {(): 0}


def counted(path):
    found = [one for one in samples(path) if one.name == "textbatch_labelled_rows"]
    return sorted(one.value for one in found)


@pytest.mark.parametrize(
    "name", ["m.prom", 'a "b" \\c.prom', "a\nb\rc.prom", "\x1b\udcff\x85.prom"]
)
def test_no_label_and_no_name_breaks_the_file_and_a_failure_forgets_nothing(name, tmp_path):
    path = tmp_path / name
    write_success(path, report())
    good = samples(path)
    assert counted(path) == sorted(LABELS.values())
    assert len({one.labels["label"] for one in good if "label" in one.labels}) == len(LABELS)
    fail(path)
    failed = {one.name: one for one in samples(path)}
    assert failed["textbatch_last_exit_code"].value == 65
    kept = [one for one in samples(path) if one in good]
    assert len(kept) == len(good) - 1
    for _ in range(3):
        fail(path)
    assert counted(path) == sorted(LABELS.values())


@pytest.mark.parametrize(
    "damage",
    [
        "textbatch_rows{status=",
        "textbatch_rows{status='ok'} 1",
        "textbatch_rows 1e",
        "textbatch_rows{} {} {}",
        "\x00\x1b",
        "# TYPE textbatch_rows nonsense",
        "# HELP",
        "}{",
        'textbatch_rows{status="o\rk"} 5',
    ],
)
def test_a_line_that_cannot_be_read_back_costs_no_other(damage, tmp_path):
    path = tmp_path / "m.prom"
    write_success(path, report())
    path.write_bytes(damage.encode() + b"\n" + path.read_bytes() + damage.encode())
    fail(path)
    assert counted(path) == sorted(LABELS.values())
    assert [one.value for one in samples(path) if one.name == "textbatch_rows"] == [36]


def test_a_file_of_something_else_is_replaced(tmp_path):
    path = tmp_path / "m.prom"
    path.write_bytes(b"\xff\x00" * 1000)
    fail(path)
    assert {one.name for one in samples(path)} == {
        "textbatch_last_exit_code",
        "textbatch_last_failure_timestamp_seconds",
    }
