"""Streams that are closed, full or broken: a job goes on, and its exit code is its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.killable_job import FULL

from textbatch.cli import streams
from textbatch.cli.console import told_if_possible

STDERR = {
    "closed": "2>&-",
    "full": "2>/dev/full",
    "broken": "2> >(true)",
    "for reading": "2</dev/null",
    "all closed": "<&- >&- 2>&-",
}
COMMANDS = {
    "score {input} {output} --model {model}": 0,
    "score {input} {output} --model {model} --log-format json --json": 0,
    "score {input} {output} --model {model} --text-column nothere": 65,
    "--debug score {input} {output} --model {model} --text-column nothere": 65,
    "score nowhere.csv {output} --model {model}": 68,
    "score {input} nowhere/out.parquet --model {model}": 73,
    "score --nothing": 2,
    "train nowhere.csv": 68,
    "inspect nowhere": 68,
    "verify nowhere.parquet": 68,
    "evaluate nowhere.csv": 68,
    "vectors nowhere.csv vec.gz": 68,
    "audit nowhere.csv": 68,
    "config show": 0,
    "--help": 0,
}
CASES = list(product(STDERR, COMMANDS))


def shell(line: str, *, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", f"{sys.executable} -m textbatch {line}"]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, cwd=cwd
    )


@pytest.mark.parametrize(("stream", "command"), CASES if FULL else CASES[::6])
def test_a_stderr_that_takes_nothing_changes_no_exit_code(
    stream, command, input_file, model, tmp_path
):
    output = tmp_path / "out.parquet"
    line = command.format(input=input_file, output=output, model=model)
    run = shell(f"{line} {STDERR[stream]}", cwd=tmp_path)
    assert run.returncode == COMMANDS[command], run.stderr
    assert output.exists() == (command.startswith("score {input} {output}") and not run.returncode)
    if output.exists():
        assert pq.read_metadata(output).num_rows == 500


def test_the_result_of_a_job_that_is_done_is_a_warning_where_stdout_is_full(
    input_file, model, tmp_path
):
    output = tmp_path / "out.parquet"
    run = shell(f"score {input_file} {output} --model {model} --json >/dev/full")
    assert run.returncode == 0
    assert run.stderr.startswith("warning: the job is done, but stdout does not take its result")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("evaluate labelled.csv --model {model}", 74),
        ("evaluate labelled.csv --model {model} --json", 74),
        ("evaluate labelled.csv --model {model} --report report.json", 0),
        ("evaluate labelled.csv --model {model} --json --html page.html", 0),
        ("config show", 74),
        ("config init", 0),
    ],
)
def test_a_full_stdout_fails_only_what_is_written_nowhere_else(
    command, code, in_process, bundle, model, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    rows = [f"refund the card,{label}" for label in bundle.labels]
    Path("labelled.csv").write_text("\n".join(["text,label", *rows, ""]))
    with Path("/dev/full").open("w") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        done = in_process(*command.format(model=model).split())
    assert done.returncode == code, done.stderr
    assert done.stderr.count("stdout") == 1


@pytest.mark.parametrize("command", ["inspect {model} >/dev/full", "--help >/dev/full"])
def test_where_stdout_is_all_that_a_command_makes_a_full_one_is_an_error(command, model):
    run = shell(command.format(model=model))
    assert run.returncode == 74
    assert run.stderr.startswith("textbatch: error[Storage]: stdout: no space left on device")


def test_a_closed_number_is_filled_before_a_file_can_get_it(tmp_path):
    script = (
        "import os, sys\n"
        "from textbatch.cli.streams import mend_streams\n"
        "mend_streams()\n"
        "new = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)\n"
        "print('lost', file=sys.stderr, flush=True)\n"
        "sys.exit(new > 2 and all(os.get_inheritable(number) for number in range(3)))\n"
    )
    (tmp_path / "run.py").write_text(script)
    line = f"{sys.executable} {tmp_path / 'run.py'} {tmp_path / 'file'} <&- >&- 2>&-"
    assert subprocess.run(["bash", "-c", line], check=False).returncode == 1
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize("how", ["full", "broken", "does not wait"])
def test_messages_are_lost_without_an_error(how):
    reading, writing = os.pipe2(os.O_NONBLOCK)
    if how == "full":
        os.dup2(os.open("/dev/full", os.O_WRONLY), writing)
    elif how == "broken":
        os.close(reading)
    raw = streams._Messages(writing, "w", closefd=False)
    stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", line_buffering=True)
    for _ in range(40):
        stream.write("x" * 8000 + "\n")
    stream.flush()


def test_a_result_that_a_reader_does_not_want_is_no_warning(capsys):
    with pytest.raises(BrokenPipeError), told_if_possible():
        raise BrokenPipeError
    assert capsys.readouterr().err == ""
