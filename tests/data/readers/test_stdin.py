from __future__ import annotations

import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest


def pipe(data: bytes, *arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "textbatch", "score", "-", *map(str, arguments)],
        input=data,
        capture_output=True,
        timeout=120,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("csv", b'id,text\n1,refund\n2,"log\nin"\n'),
        ("jsonl", b'{"id": 1, "text": "refund"}\n{"id": 2, "text": "log\\nin"}\n'),
    ],
)
def test_rows_come_through_a_pipe(kind, data, model, tmp_path):
    done = pipe(data, tmp_path / "out.parquet", "--format", kind, "--model", model)
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["text"].to_pylist() == ["refund", "log\nin"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, b"give --format csv or jsonl"),
        (("--format", "parquet"), 2, b"give --format csv or jsonl"),
        (("--format", "csv", "--dry-run"), 64, b"not read twice"),
        (("--format", "csv", "--text-column", "body"), 65, b"no column 'body'"),
    ],
)
def test_what_cannot_be_read_from_a_pipe_is_refused(arguments, code, message, model, tmp_path):
    done = pipe(b"text\nrefund\n", tmp_path / "out.parquet", "--model", model, *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == []


def test_an_empty_pipe_is_no_success(model, tmp_path):
    done = pipe(b"", tmp_path / "out.parquet", "--model", model, "--format", "csv")
    assert done.returncode == 65
    assert b"0 bytes" in done.stderr


def test_the_same_rows_piped_again_resume_a_killed_run(model, tmp_path):
    data = b"text\n" + b"".join(b"refund %d\n" % n for n in range(4000))
    flags = (tmp_path / "out.parquet", "--model", model, "--format", "csv", "--chunk-rows", 100)
    died = pipe(data, *flags, TEXTBATCH_FAILPOINTS="output-sealed:1:0")
    assert died.returncode == -9
    done = pipe(data, *flags)
    assert done.returncode == 0, done.stderr
    assert b"rows were known from an earlier run" in done.stderr
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 4000
    other = pipe(data.replace(b"17", b"71"), *flags, "--if-exists", "skip")
    assert other.returncode == 73
