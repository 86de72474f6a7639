"""The reference pages and the report's schema, against what they describe."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import fields
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from textbatch.config import ScoreConfig
from textbatch.errors import TextbatchError
from textbatch.report.run import RunReport
from textbatch.scoring import score

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
SCHEMA = json.loads((FOLDER / "run-report.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_as_the_code_says(reference):
    written = reference.pages()
    assert {path.name for path in FOLDER.iterdir()} == set(written)
    for name, text in written.items():
        assert (FOLDER / name).read_text("utf-8") == text, "run `make reference`"


def test_every_field_of_a_report_is_described(reference):
    names = {field.name for field in fields(RunReport)}
    assert set(reference.descriptions(RunReport)) == names
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for name in SCHEMA["properties"]:
        assert f"`{name}`" in page, name


def check(record: dict, state: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(record)
    assert record.keys() <= SCHEMA["properties"].keys()
    assert record["state"] == state


def test_reports_of_good_runs_follow_the_schema(input_file, model, tmp_path):
    report = tmp_path / "report.json"
    settings = {"input": input_file, "model": model, "report": report}
    for state, more in (
        ("planned", {"dry_run": True}),
        ("done", {}),
        ("skipped", {"if_exists": "skip"}),
    ):
        done = score(ScoreConfig(output=tmp_path / "out.parquet", **settings, **more))
        check(done.to_dict(), state)
        check(json.loads(report.read_text("utf-8")), state)


def test_reports_of_failures_follow_the_schema(input_file, model, tmp_path, in_process):
    report = tmp_path / "report.json"
    for wrong in ({"input": tmp_path / "nowhere.csv"}, {"text_column": "nothing"}):
        settings = {"input": input_file, "model": model, "report": report, **wrong}
        with pytest.raises(TextbatchError):
            score(ScoreConfig(output=tmp_path / "out.parquet", **settings))
        check(json.loads(report.read_text("utf-8")), "failed")
    in_process("score", input_file, tmp_path / "o.parquet", "--report", report, "--top-k", "-1")
    check(json.loads(report.read_text("utf-8")), "failed")


def test_the_schema_would_see_a_wrong_report(input_file, model, tmp_path):
    good = score(ScoreConfig(input=input_file, output=tmp_path / "o", model=model)).to_dict()
    validator = Draft202012Validator(SCHEMA)
    for name, value in (("rows_in", "many"), ("state", "fine"), ("statuses", {"ok": "all"})):
        assert not validator.is_valid({**good, name: value}), name
    assert not validator.is_valid({"schema_version": 1, "state": "done"})
