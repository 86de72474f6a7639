from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.training import labelled_table

import textbatch

SETTINGS = """
dense_units = 12
[vectors]
dim = 12
window = 3
epochs = 3
[dropout]
channels = 0.1
between = 0.1
last_input = 0.1
[fit]
learning_rate = 0.003
batch_size = 8
max_epochs = 8
averaging = 0.99
patience = 8
[[layers]]
units = 12
[[layers]]
units = 12
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("resuming")
    pq.write_table(labelled_table(300, seed=0), folder / "rows.parquet")
    (folder / "settings.toml").write_text(SETTINGS)
    return folder


def command(folder: Path, model: str, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "textbatch", "train", str(folder / "rows.parquet"),
        "--text-column", "body", "--label-column", "queue", "--json", "--quick",
        "--settings", str(folder / "settings.toml"), "--model", str(folder / model), *more,
    ]  # fmt: skip


def run(folder: Path, model: str, *more: str, hash_seed: str = "0") -> tuple[str, str]:
    """The bundle's fingerprint, and what was said."""
    done = subprocess.run(
        command(folder, model, *more),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["fingerprint"], done.stderr


@pytest.fixture(scope="module")
def whole(folder) -> tuple[str, str]:
    """A run that nothing interrupts: its fingerprint, and what was said."""
    return run(folder, "whole", "--resume", hash_seed="1")


@pytest.fixture(scope="module")
def fingerprint(whole) -> str:
    return whole[0]


@pytest.fixture(scope="module")
def killed(folder) -> int:
    """A run that was killed hard once it had saved its second epoch; how many it had saved."""
    process = subprocess.run(
        command(folder, "killed"),
        capture_output=True,
        # Of the numbers drawn from this seed the third is the first one below 0.5. There is a state
        # before the first epoch too.
        env={**os.environ, "TEXTBATCH_FAILPOINTS": "checkpoint-saved:0.5:2"},
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert not (folder / "killed").exists()
    state = json.loads((folder / ".killed.training" / "checkpoint.json").read_text())
    return len(state["history"])


def interrupted(folder: Path, model: str) -> None:
    """The same run's checkpoint, beside another model."""
    shutil.copytree(folder / ".killed.training", folder / f".{model}.training")


def test_a_killed_training_goes_on_and_makes_the_same_bundle(folder, killed, fingerprint):
    interrupted(folder, "resumed")
    found, said = run(folder, "resumed", "--resume")
    assert killed == 2
    assert "going on after epoch 2 of an interrupted run" in said
    assert "epoch 2:" not in said
    assert "epoch 3:" in said
    assert found == fingerprint
    assert not list(folder.glob(".resumed*"))


def test_another_seed_starts_over_and_says_so(folder, killed, fingerprint):
    interrupted(folder, "other")
    messages: list[str] = []
    report = textbatch.train(
        folder / "rows.parquet", text_column="body", label_column="queue", seed=3, quick=True,
        resume=True, settings=folder / "settings.toml", model=folder / "other",
        log=messages.append,
    )  # fmt: skip
    assert any("starting from the beginning" in line for line in messages)
    assert any(line.startswith("epoch 1:") for line in messages)
    assert report.fingerprint != fingerprint


def test_a_checkpoint_of_another_training_stays_until_there_is_a_state_of_this_one(
    folder, killed, monkeypatch
):
    interrupted(folder, "kept")
    there = folder / ".kept.training"
    before = {path.name: path.read_bytes() for path in there.iterdir()}
    monkeypatch.setattr("textbatch.training.train.choose", interrupt)
    with pytest.raises(KeyboardInterrupt):
        textbatch.train(
            folder / "rows.parquet", text_column="body", label_column="queue", seed=3, quick=True,
            settings=folder / "settings.toml", model=folder / "kept",
        )  # fmt: skip
    assert {path.name: path.read_bytes() for path in there.iterdir()} == before


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_resume_without_a_checkpoint_trains_from_the_beginning_and_says_so(whole):
    assert "there is no checkpoint to go on from" in whole[1]
    assert "epoch 1:" in whole[1]


def test_the_same_command_run_again_goes_on_without_resume_too(folder, killed, fingerprint):
    """In a process of another hash seed, which makes the same bundle."""
    interrupted(folder, "left")
    found, said = run(folder, "left", hash_seed="12345")
    assert "going on after epoch 2 of an interrupted run" in said
    assert found == fingerprint
    assert not list(folder.glob(".left*"))
