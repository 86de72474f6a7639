from __future__ import annotations

import json

import pytest

from textbatch.errors import DataError
from textbatch.report.files import failure_reported


def fail(path, error):
    with pytest.raises(type(error)), failure_reported(path, lambda: {"input": "in.csv"}):
        raise error


def test_a_failure_replaces_an_older_report_and_nothing_else(tmp_path):
    report = tmp_path / "report.json"
    fail(report, DataError("first", "mend it"))
    fail(report, DataError("second", "mend it"))
    assert "second" in json.loads(report.read_text())["error"]
    labels = tmp_path / "labels.csv"
    labels.write_text("text,label\n")
    fail(labels, DataError("third", "mend it"))
    assert labels.read_text() == "text,label\n"
