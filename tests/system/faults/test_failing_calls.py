"""Every call about files fails once, also those that libraries make: a network's file system does.

`test_io_errors.py` makes the calls of our own protocol fail, once and for good; here it is each
call below the folder of a job, from its first look at the input on.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts
from support.killable_job import FULL

HERE = Path(__file__).parent
#: Those that a later call may not get: a server that went away, a signal, too many files, in use.
ERRORS = (errno.ESTALE, errno.EINTR, errno.EMFILE, errno.EBUSY)
MORE = (errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.EIO) if FULL else ()
pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="no compiler on this machine")


class Runs:
    """Runs commands of which one call fails."""

    def __init__(self, library: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "failing_runs.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LD_PRELOAD": str(library), "COLUMNS": "100"},
        )

    def __call__(self, arguments: list[object], folder: Path, call: int, error: int = 0) -> dict:
        asked = {"arguments": [*map(str, arguments)], "folder": f"{folder}/"}
        self._process.stdin.write(json.dumps({**asked, "call": call, "error": error}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Runs:
    library = tmp_path_factory.mktemp("library") / "failing_calls.so"
    source = HERE / "failing_calls.c"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", source, "-o", library, "-ldl"], check=True)
    started = Runs(library)
    yield started
    started.close()


def contents(output: Path) -> dict[str, pa.Table]:
    """The tables of an output, by the names of their files; without ids of runs and times."""
    files = sorted(output.rglob("*.parquet")) if output.is_dir() else [output]
    found = {}
    for file in files:
        table = pq.read_table(file, partitioning=None).replace_schema_metadata()
        found[str(file.relative_to(output))] = table
    return found


KINDS = ("file.parquet", "file.csv", "file.jsonl", "folder")
PAIRS = [(kind, error) for kind in KINDS for error in (*ERRORS, *MORE)]
if not FULL:
    # Other calls of other kinds of jobs with other errors.
    PAIRS = PAIRS[:4] + PAIRS[4::5]


@pytest.mark.parametrize(("kind", "error"), PAIRS)
def test_each_call_that_fails_once_is_told_or_tried_again(kind, error, runs, tmp_path, model):
    job = tmp_path / "job"
    job.mkdir()
    shutil.copytree(model, job / "model")
    source, output = prepare(job, kind)
    line = ["score", source, output, "--model", job / "model", "--chunk-rows", 30]
    line += ["--threads", 1]
    whole = runs(line, job, 0)
    assert whole["code"] == 0, whole
    expected = contents(output)
    # Each of the errors begins elsewhere, so that few calls are left out.
    step = 1 if FULL else whole["seen"] // 5
    for call in range(1 + error % step, whole["seen"] + 1, step):
        remove(output)
        done = runs(line, job, call, error)
        assert "Traceback" not in done["told"], (call, done)
        if done["code"]:
            assert done["code"] in (71, 74, 75), (call, done)
            assert done["told"].count("\n") == 1, (call, done)
            assert source.exists()
            done = runs([*line, "--overwrite"], job, 0)
        assert done["code"] == 0, (call, done)
        assert contents(output) == expected, call
        assert not list(job.glob(".*")), call


def prepare(job: Path, kind: str) -> tuple[Path, Path]:
    texts = [text.strip() or "x" for text in random_texts(90, seed=3) if text]
    if kind == "folder":
        (job / "in" / "deep").mkdir(parents=True)
        write_texts(job / "in" / "a.parquet", texts)
        write_texts(job / "in" / "deep" / "b.parquet", texts[:20])
        return job / "in", job / "out"
    source = job / kind
    if kind.endswith("parquet"):
        write_texts(source, texts)
    elif kind.endswith("csv"):
        source.write_text("text\n" + "".join(json.dumps(text) + "\n" for text in texts))
    else:
        source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return source, job / "out.parquet"


def remove(output: Path) -> None:
    if output.is_dir():
        shutil.rmtree(output)
    else:
        output.unlink(missing_ok=True)
