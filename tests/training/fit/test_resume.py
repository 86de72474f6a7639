from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.training import labelled_table

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
        "--text-column", "body", "--label-column", "queue", "--json",
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
def fingerprint(folder) -> str:
    """Of a run that nothing interrupts."""
    return run(folder, "whole", hash_seed="1")[0]


def kill_in_an_epoch(folder: Path, model: str) -> int:
    """Kill a run hard once it has saved a pass; how many passes it had saved."""
    state = folder / f".{model}.training" / "checkpoint.json"
    process = subprocess.Popen(
        command(folder, model), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            if state.exists() and len(json.loads(state.read_text())["history"]) >= 2:
                break
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was done before it could be killed"
    return len(json.loads(state.read_text())["history"])


def test_processes_of_other_hash_seeds_make_the_same_bundle(folder, fingerprint):
    assert run(folder, "again", hash_seed="12345")[0] == fingerprint
    assert not list(folder.glob(".again*"))


def test_a_killed_training_goes_on_and_makes_the_same_bundle(folder, fingerprint):
    passes = kill_in_an_epoch(folder, "killed")
    assert not (folder / "killed").exists()
    found, said = run(folder, "killed", "--resume")
    assert f"going on after epoch {passes} of an interrupted run" in said
    assert f"epoch {passes}:" not in said
    assert f"epoch {passes + 1}:" in said
    assert found == fingerprint
    assert not list(folder.glob(".killed*"))


def test_another_seed_starts_over_and_says_so(folder, fingerprint):
    kill_in_an_epoch(folder, "other")
    found, said = run(folder, "other", "--resume", "--seed", "3")
    assert "starting from the beginning" in said
    assert "epoch 1:" in said
    assert found != fingerprint


def test_resume_without_a_checkpoint_trains_from_the_beginning_and_says_so(folder, fingerprint):
    found, said = run(folder, "fresh", "--resume")
    assert "there is no checkpoint to go on from" in said
    assert found == fingerprint


def test_a_checkpoint_is_told_of_and_left_behind_without_resume(folder, fingerprint):
    kill_in_an_epoch(folder, "left")
    found, said = run(folder, "left")
    assert "--resume would have gone on" in said
    assert found == fingerprint
