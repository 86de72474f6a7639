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


@pytest.fixture(scope="module")
def one(model, tmp_path_factory) -> tuple[Path, str]:
    """One file, and its answers."""
    folder = tmp_path_factory.mktemp("single")
    place = write_texts(folder / "in.parquet", random_texts(12_000, seed=9, longest=12))
    (folder / "out").mkdir()
    score(place, folder / "out" / "out.parquet", model=model)
    return place, answers(folder / "out")


def children_of(process: int) -> set[int]:
    found = set()
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = place.read_text().rpartition(") ")
            if int(rest.split()[1]) == process and "python" in name:
                found.add(int(place.parent.name))
    return found


@pytest.mark.parametrize("seed", rounds(2, 40))
def test_one_file_is_whole_whoever_is_killed(seed, one, model, tmp_path, monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")
    source, expected = one
    output = tmp_path / "out.parquet"
    journal = tmp_path / ".out.parquet.textbatch" / "journal"
    with start(source, output, model) as process:
        while process.poll() is None and not journal.exists():
            time.sleep(0.005)
        time.sleep(random.Random(seed).uniform(0, 0.2))
        workers = children_of(process.pid)
        if seed % 2:
            for worker in sorted(workers)[:1]:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
        else:
            process.send_signal(signal.SIGTERM if seed % 4 else signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    # `communicate` ends when nobody holds the pipes any more: no worker is left.
    if seed % 2:
        assert process.returncode == 0, err
    else:
        assert process.returncode in (-signal.SIGKILL, 128 + signal.SIGTERM, 0)
        with start(source, output, model) as again:
            out, err = again.communicate(timeout=120)
        assert again.returncode == 0 or "exists" in err
    assert not out or json.loads(out)["rows_out"] == 12_000
    assert answers(tmp_path) == expected
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]
