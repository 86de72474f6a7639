"""Every command that reads has the reading options of `score`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.training import labelled_table
from typer.main import get_command

from textbatch.cli.app import app
from textbatch.cli.command import settings_in
from textbatch.data.readers.read_options import ReadOptions
from textbatch.options import options_of
from textbatch.training.config.audit import AuditConfig
from textbatch.training.config.train import TrainConfig
from textbatch.training.config.tune import TuneConfig
from textbatch.training.split.dataset import read_splits

READERS = ("score", "train", "evaluate", "tune", "audit", "vectors")
ODD = {
    "input_format": "csv",
    "encoding": "latin-1",
    "delimiter": "\\t",
    "quoting": "none",
    "null_text": ["-"],
    "join_lists": "; ",
}
COLUMNS = {"text_column": "body", "label_column": "queue"}
FLAGS = [
    *("--format", "csv", "--encoding", "latin-1", "--delimiter", "\\t"),
    *("--quoting", "none", "--null-text", "-", "--join-lists", "; "),
]


@pytest.fixture(scope="module")
def odd_file(tmp_path_factory) -> Path:
    """Rows in Latin-1 with tabs between, a quote in each text, a dash for a missing one."""
    path = tmp_path_factory.mktemp("odd") / "rows.data"
    rows = labelled_table(90, seed=0).to_pylist()
    lines = [f'"{row["body"]} caf\u00e9\t{row["queue"]}' for row in rows]
    path.write_text("\n".join(["body\tqueue", *lines, "-\tbilling"]) + "\n", "latin-1")
    return path


def test_all_of_them_have_the_options():
    settings = settings_in(get_command(app))
    wanted = {one.key for one in options_of(ReadOptions)}
    for name in READERS:
        assert wanted <= {one.key for one in settings[name].flags}, name


def test_training_reads_by_them(odd_file):
    config = TrainConfig.given({"inputs": odd_file, **COLUMNS, **ODD})
    splits = read_splits(config)
    texts = splits.training.texts.to_pylist()
    assert sum(splits.sizes().values()) == 90
    assert all(text.startswith('"') and text.endswith("caf\u00e9") for text in texts)


@pytest.mark.parametrize("kind", [AuditConfig, TuneConfig])
def test_tune_and_audit_train_by_them(kind, odd_file):
    config = kind.given({"inputs": odd_file, **COLUMNS, **ODD})
    assert config.train.reading() == config.reading() == ReadOptions.given(ODD)
    assert config.train.inputs == (odd_file,)


def test_evaluate_reads_by_them(odd_file, model, in_process):
    columns = ("--text-column", "body", "--label-column", "queue")
    # The model knows "billing" only.
    run = in_process("evaluate", odd_file, "--model", model, *columns, *FLAGS, "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["rows"] == 91
    assert found["statuses"]["null_text"] == 1


def test_vectors_reads_by_them(odd_file, tmp_path, in_process):
    sizes = ("--text-column", "body", "--dim", "3", "--epochs", "1", "--min-count", "1")
    run = in_process("vectors", odd_file, tmp_path / "v.vec", *sizes, *FLAGS, "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["texts"] == 90
    assert "\ncaf\u00e9 " in (tmp_path / "v.vec").read_text("utf-8")
