"""A machine that is short of something: one line and exit code 71, or the whole output."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts
from support.killable_job import FULL, Job

from textbatch.cli.machine import check_machine, check_memory, is_shortage
from textbatch.errors import OutOfMemoryError, StarvedError

MIB = 1 << 20
#: Limits from almost nothing to more than enough; the first few of each in `make test`.
LIMITS = {
    "NOFILE": ([6, 18, 64], range(5, 41)),
    "AS": ([40 * MIB, 500 * MIB, 1100 * MIB, 6000 * MIB], range(20 * MIB, 2600 * MIB, 60 * MIB)),
    "DATA": ([20 * MIB, 150 * MIB, 1000 * MIB], range(10 * MIB, 600 * MIB, 15 * MIB)),
    "STACK": ([256 << 10], (128 << 10, 256 << 10, 512 << 10, 1 << 20)),
    "NPROC": ([0, 2, 5, 64], range(16)),
}
STEPS = [(name, step) for name, (few, many) in LIMITS.items() for step in (many if FULL else few)]
#: Root is not limited in its processes. Another user may not read Python, but for this right.
AS_NOBODY = [
    "setpriv", "--reuid", "54321", "--clear-groups", "--securebits", "+no_setuid_fixup",
    "--inh-caps", "+dac_override", "--ambient-caps", "+dac_override",
]  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory, model) -> Job:
    folder = tmp_path_factory.mktemp("starved")
    source = write_texts(folder / "in.parquet", random_texts(400, seed=3))
    (folder / "out").mkdir()
    job = Job(folder=folder / "out", source=source, model=model, flags=("--overwrite",))
    assert job.run().returncode == 0
    job.expected = pq.read_table(job.output)
    return job


def run_limited(name: str, step: int, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "textbatch", *arguments]
    if name == "NPROC" and os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("no setpriv on this machine")
        line = AS_NOBODY + line

    def limit() -> None:
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (step, step))

    return subprocess.run(
        line, capture_output=True, text=True, timeout=120, check=False, preexec_fn=limit
    )


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_a_starved_machine_is_told_in_one_line(name, step, small):
    small.output.unlink(missing_ok=True)
    done = run_limited(name, step, small.arguments)
    assert done.returncode in (0, 71), done.stderr
    if done.returncode == 0:
        small.assert_complete()
        return
    # The allocator of a library writes lines of its own, which nothing stops.
    told = [line for line in done.stderr.splitlines() if not line.startswith("<jemalloc>")]
    assert len(told) == 1, done.stderr
    assert told[0].startswith(("textbatch: error[Starved]:", "textbatch: error[OutOfMemory]:"))
    assert done.stdout == ""
    assert not small.output.exists()
    assert set(small.names()) <= {".out.parquet.textbatch"}


@pytest.mark.parametrize("name", LIMITS)
def test_with_enough_of_it_the_job_is_done(name, small):
    if name == "NPROC" and os.geteuid() != 0:
        pytest.skip("other processes of this user count too")
    enough = {"NOFILE": 64, "AS": 16_000 * MIB, "DATA": 4000 * MIB, "STACK": 8 * MIB, "NPROC": 999}
    done = run_limited(name, enough[name], small.arguments)
    assert done.returncode == 0, done.stderr
    small.assert_complete()


@pytest.mark.parametrize(("name", "step"), [("AS", 1200 * MIB), ("NOFILE", 15), ("NPROC", 4)])
@pytest.mark.parametrize("command", ["train", "inspect"])
def test_other_commands_tell_it_too(command, name, step, small, tmp_path):
    made = tmp_path / "made"
    flags = [str(made), "--label-column", "id"] if command == "train" else []
    line = [command, str(small.source if command == "train" else small.model)]
    line += ["--model", *flags] if command == "train" else []
    done = run_limited(name, step, line)
    if (command, name) != ("inspect", "AS"):
        assert done.returncode == 71, done.stderr
        assert done.stderr.count("\n") == 1
    assert not made.exists()


def test_help_needs_little(small):
    assert run_limited("NOFILE", 12, ["--help"]).returncode == 0


def test_what_is_tried_beforehand_leaves_nothing_open():
    before = len([*Path("/proc/self/fd").iterdir()])
    check_machine(trains=True)
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_memory_that_is_refused_beforehand_is_told(monkeypatch):
    def refused(*_: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("mmap.mmap", refused)
    with pytest.raises(OutOfMemoryError, match=r"MiB of memory.*ulimit"):
        check_memory()


def test_threads_that_cannot_start_are_told(monkeypatch):
    def refused(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", refused)
    with pytest.raises(StarvedError, match=r"threads.*ulimit -u"):
        check_machine(trains=False)


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (ImportError("libarrow.so: failed to map segment from shared object"), True),
        (ImportError("libarrow.so: cannot open shared object file: Too many open files"), True),
        (RuntimeError("can't start new thread"), True),
        (RuntimeError("std::bad_alloc"), True),
        (OSError(24, "Too many open files"), True),
        (MemoryError(), True),
        (ImportError("cannot import name 'x' from 'y'"), False),
        (ValueError("cannot allocate memory"), False),
        (OSError(2, "No such file or directory"), False),
        (RuntimeError("dictionary changed size during iteration"), False),
    ],
)
def test_what_counts_as_a_shortage(error, short):
    assert is_shortage(error) == short
    wrapped = KeyError("x")
    wrapped.__context__ = error
    assert is_shortage(wrapped) == short
