"""The reference pages and the report's schema, against what they describe."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import fields
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator
from support.training import QUICK, labelled_table

from textbatch.errors import TextbatchError
from textbatch.report.scoring import RunReport
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score
from textbatch.training.audit import audit
from textbatch.training.config.audit import AuditConfig
from textbatch.training.config.train import TrainConfig
from textbatch.training.config.tune import TuneConfig
from textbatch.training.config.vectors import VectorsConfig
from textbatch.training.recipes.presets import RECIPES
from textbatch.training.train import train
from textbatch.training.tune import tune
from textbatch.training.vectors import train_vectors

OTHERS = (
    "train",
    "evaluate",
    "tune",
    "audit",
    "vectors",
    "import",
    "export",
    "promote",
    "rollback",
    "diff",
    "review",
    "profile",
    "calibrate",
)
ROOT = Path(__file__).parents[2]
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
    settings = {"inputs": (input_file,), "model": model, "report": report}
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
    for wrong in ({"inputs": (tmp_path / "nowhere.csv",)}, {"text_column": "nothing"}):
        settings = {"inputs": (input_file,), "model": model, "report": report, **wrong}
        with pytest.raises(TextbatchError):
            score(ScoreConfig(output=tmp_path / "out.parquet", **settings))
        check(json.loads(report.read_text("utf-8")), "failed")
    in_process("score", input_file, tmp_path / "o.parquet", "--report", report, "--top-k", "-1")
    check(json.loads(report.read_text("utf-8")), "failed")


def test_the_schema_would_see_a_wrong_report(input_file, model, tmp_path):
    output = tmp_path / "o.parquet"
    good = score(ScoreConfig(inputs=(input_file,), output=output, model=model)).to_dict()
    validator = Draft202012Validator(SCHEMA)
    for name, value in (("rows_in", "many"), ("state", "fine"), ("statuses", {"ok": "all"})):
        assert not validator.is_valid({**good, name: value}), name
    assert not validator.is_valid({"schema_version": 1, "state": "done"})


def schema_of(command: str) -> dict:
    return json.loads((FOLDER / f"{command}-report.schema.json").read_text("utf-8"))


def check_other(command: str, record: dict, state: str) -> None:
    schema = schema_of(command)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(record)
    assert record.keys() <= schema["properties"].keys()
    assert record["state"] == state


@pytest.fixture(scope="module")
def labelled(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("labelled") / "rows.parquet"
    pq.write_table(labelled_table(150, seed=0), path)
    return path


def settings_of(labelled: Path, report: Path, **more) -> TrainConfig:
    columns = {"text_column": "body", "label_column": "queue"}
    return TrainConfig(inputs=(labelled,), report=report, **{**columns, **more})


def test_every_field_of_the_other_reports_is_described(reference):
    assert set(reference.REPORTS) == set(OTHERS)
    for kind, _ in reference.REPORTS.values():
        assert set(reference.descriptions(kind)) >= {field.name for field in fields(kind)}


@pytest.mark.trains
def test_other_reports_of_good_runs_follow_their_schemas(
    labelled, tmp_path, in_process, monkeypatch
):
    # For this test alone: the reference tells the defaults.
    monkeypatch.setitem(RECIPES, "default", QUICK)
    report, model = tmp_path / "report.json", tmp_path / "model"
    vectors = VectorsConfig(
        inputs=(labelled,),
        output=tmp_path / "v.vec",
        text_column="body",
        dim=5,
        epochs=1,
        min_count=1,
    )
    check_other("vectors", json.loads(json.dumps(train_vectors(vectors).to_dict())), "done")
    train(settings_of(labelled, report, model=model, vectors=(vectors.output,), quick=True))
    check_other("train", json.loads(report.read_text("utf-8")), "done")
    flags = ("--text-column", "body", "--label-column", "queue")
    run = in_process("evaluate", labelled, "--model", model, *flags, "--report", report, "--json")
    check_other("evaluate", json.loads(run.stdout), "done")
    check_other("evaluate", json.loads(report.read_text("utf-8")), "done")
    in_process("export", model, tmp_path / "model.onnx", "--report", report)
    check_other("export", json.loads(report.read_text("utf-8")), "done")
    asked = {
        "inputs": (labelled,),
        "report": report,
        "text_column": "body",
        "label_column": "queue",
    }
    audit(AuditConfig(**asked, folds=2, output=tmp_path / "errors.csv", model=model))
    check_other("audit", json.loads(report.read_text("utf-8")), "done")
    tune(TuneConfig(**asked, study=tmp_path / "study", trials=1))
    check_other("tune", json.loads(report.read_text("utf-8")), "done")


@pytest.mark.parametrize("command", ["train", "evaluate", "tune", "audit"])
@pytest.mark.parametrize(
    "wrong",
    [("nowhere.csv",), ("{labelled}", "--text-column", "nothing"), ("a.csv", "--seed", "-1")],
)
def test_other_reports_of_failures_follow_their_schemas(
    command, wrong, labelled, model, tmp_path, in_process
):
    if command == "evaluate" and "--seed" in wrong:
        wrong = ("a.csv", "--threads", "0")
    arguments = [part.format(labelled=labelled) for part in wrong]
    report = tmp_path / "report.json"
    if command == "evaluate":
        arguments += ["--model", str(model)]
    run = in_process(command, *arguments, "--report", report)
    record = json.loads(report.read_text("utf-8"))
    check_other(command, record, "failed")
    assert record["exit_code"] == run.returncode > 0


@pytest.mark.parametrize("command", OTHERS)
def test_the_other_schemas_would_see_a_wrong_report(command):
    validator = Draft202012Validator(schema_of(command))
    assert not validator.is_valid({"schema_version": 1, "state": "done"})
    assert not validator.is_valid({"schema_version": 1, "state": "failed"})
    assert not validator.is_valid({"schema_version": 2, "state": "failed"})
