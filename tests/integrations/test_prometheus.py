"""The metrics file: escaped by the client library, and read back whatever it holds."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from textbatch.errors import DataError
from textbatch.integrations.prometheus import failure_measured, write_success
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
