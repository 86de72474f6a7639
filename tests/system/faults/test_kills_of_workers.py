"""A folder job with workers: a worker is killed, then the job itself. No row is lost or doubled."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts
from support.killable_job import rounds

from textbatch import score


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for number in range(6):
        write_texts(folder / f"f{number}.parquet", random_texts(2_000, seed=number, longest=12))
    return folder


@pytest.fixture(scope="module")
def expected(source, model, tmp_path_factory) -> str:
    output = tmp_path_factory.mktemp("undisturbed") / "out"
    score(source, output, model=model)
    return answers(output)


def answers(output: Path) -> str:
    """A hash of all rows: the parts also name their runs."""
    digest = hashlib.sha256()
    for path in sorted(output.glob("*.parquet")):
        table = pq.read_table(path).replace_schema_metadata(None)
        digest.update(path.name.encode() + str(table.num_rows).encode())
        for batch in table.to_batches():
            digest.update(batch.serialize())
    return digest.hexdigest()


def start(source: Path, output: Path, model: Path) -> subprocess.Popen[str]:
    paths = [str(source), str(output), "--model", str(model)]
    flags = ["--jobs", "2", "--threads", "1", "--chunk-rows", "100", "--json"]
    return subprocess.Popen(
        [sys.executable, "-m", "textbatch", "score", *paths, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def owner_of_a_part(output: Path) -> int | None:
    """The process that holds the lock of an unfinished part."""
    for lock in output.glob(".f*.textbatch/lock"):
        with suppress(OSError, ValueError):
            return int(json.loads(lock.read_text())["pid"])
    return None


def wait_for_owner(output: Path, process: subprocess.Popen[str]) -> int | None:
    while process.poll() is None:
        if owner := owner_of_a_part(output):
            return owner
        time.sleep(0.005)
    return None


@pytest.mark.parametrize("seed", rounds(1, 20))
def test_a_killed_worker_loses_no_row(seed, source, expected, model, tmp_path):
    with start(source, tmp_path / "out", model) as process:
        owner = wait_for_owner(tmp_path / "out", process)
        time.sleep(random.Random(seed).uniform(0, 0.4))
        if owner is not None:
            assert owner != process.pid
            with suppress(ProcessLookupError):
                os.kill(owner, signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["rows_out"] == 12_000
    assert answers(tmp_path / "out") == expected
    assert not list((tmp_path / "out").glob(".f*"))


@pytest.mark.parametrize("seed", rounds(1, 20))
def test_a_killed_job_goes_on_where_it_was(seed, source, expected, model, tmp_path):
    output = tmp_path / "out"
    with start(source, output, model) as process:
        wait_for_owner(output, process)
        time.sleep(random.Random(seed).uniform(0, 0.4))
        process.send_signal(signal.SIGTERM if seed % 2 else signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGKILL, 128 + signal.SIGTERM, 0)
    done = {path.name: path.stat().st_mtime_ns for path in output.glob("f*.parquet")}
    with start(source, output, model) as again:
        out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert json.loads(out)["rows_out"] == 12_000
    assert answers(output) == expected
    for name, moment in done.items():
        assert (output / name).stat().st_mtime_ns == moment, f"{name} was scored twice"
    assert not list(output.glob(".f*"))
