"""Folds that are killed, or whose driver is: what stays, and how the same command goes on."""

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

#: Small, and slow enough to be killed in the middle of the folds.
SETTINGS = """
dense_units = 12
[vectors]
dim = 12
epochs = 3
[fit]
batch_size = 8
max_epochs = 6
patience = 6
[[layers]]
units = 12
[[layers]]
units = 12
"""
SECONDS = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    pq.write_table(labelled_table(300, seed=0), folder / "rows.parquet")
    (folder / "settings.toml").write_text(SETTINGS)
    return folder


def start(folder: Path, model: str) -> subprocess.Popen[str]:
    words = ("train", "rows.parquet", "--text-column", "body", "--label-column", "queue")
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "textbatch", *words, "--json", "--folds", "2"),
            *("--settings", "settings.toml", "--model", model),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def fingerprint_of(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The fingerprint of the model, and what was said."""
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    return json.loads(out)["fingerprint"], err


def wait_for_fold(folder: Path, model: str, process: subprocess.Popen[str]) -> None:
    """Wait until a fold has ended an epoch."""
    until = time.monotonic() + SECONDS
    while not list(folder.glob(f".{model}.training/fold-*/state-*")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.02)


def fitting_for(driver: int) -> list[int]:
    """The processes that fit folds for a driver."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == driver and b"popen_loky" in command:
            found.append(int(path.name))
    return found


def test_a_killed_fold_is_told_a_killed_driver_leaves_nobody_and_the_next_run_goes_on(folder):
    with start(folder, "killed") as process:
        wait_for_fold(folder, "killed", process)
        os.kill(fitting_for(process.pid)[0], signal.SIGKILL)
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 71, err
    assert "the process of a fold was killed, as where memory is short; take fewer --jobs" in err
    with start(folder, "killed") as process:
        while not (workers := fitting_for(process.pid)):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.02)
        time.sleep(2)
        process.kill()
        process.communicate(timeout=SECONDS)
    until = time.monotonic() + SECONDS
    while any(is_running(worker) for worker in workers):
        assert time.monotonic() < until, "a process goes on without its driver"
        time.sleep(0.05)
    assert not (folder / "killed").exists()
    with start(folder, "killed") as process, start(folder, "undisturbed") as other:
        found, said = fingerprint_of(process)
        assert "going on with an interrupted run" in said
        assert found == fingerprint_of(other)[0]
    assert not (folder / ".killed.training").exists()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
