from __future__ import annotations

import gzip
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.bundles import random_bundle, run_cli, write_bundle, write_texts

from textbatch.cli.app import app

COMMANDS = [command.name for command in app.registered_commands]
SUBCOMMANDS = [["config", "show"], ["config", "init"]]
COLOUR = re.compile(r"\x1b\[[0-9;]*[39][0-7]m")
HEAVY = "{'tensorflow', 'keras', 'gensim', 'torch', 'matplotlib', 'jinja2', 'sklearn.linear_model'}"


def loaded_by(*arguments: str | Path) -> list[str]:
    """The heavy libraries that a command has imported when it ends."""
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('loaded:', *sorted({HEAVY} & sys.modules.keys())))\n"
        "from textbatch.cli.app import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout.rpartition("loaded:")[2].split()


def on_a_terminal(*arguments: str | Path, **environment: str) -> str:
    """What a command shows on a terminal."""
    screen, theirs = pty.openpty()
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-m", "textbatch", *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**plain, "TERM": "xterm-256color", "COLUMNS": "100", **environment},
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while data := os.read(screen, 65_536):
                shown += data
        except OSError:  # Linux's way to say that the other side has closed
            pass
        os.close(screen)
    assert process.returncode in (0, 2)
    return shown.decode()


def test_every_command_ends_with_a_next_step_on_a_terminal_only(
    model, input_file, tmp_path, in_process
):
    output, odd = tmp_path / "out.parquet", tmp_path / "a model"
    shutil.copytree(model, odd)
    in_process("score", input_file, output, "--model", odd)
    score = f"textbatch score new.parquet scored.parquet --model '{odd}'"
    for arguments, step in (
        (["verify", output], f"textbatch show {output} --below 0.6"),
        (["show", output, "--label", "no such label"], f"textbatch verify {output}"),
        (["inspect", output], f"textbatch verify {output}"),
        (["inspect", odd], score),
        (["predict", "refund", "login", "--model", odd], score.replace(".parquet", ".csv")),
    ):
        shown = on_a_terminal(*arguments)
        assert shown.rstrip().splitlines()[-1].strip() == step, shown
        assert step not in in_process(*arguments).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        [],
        ["score", "a", "b", "--bogus"],
        *[[c, "-h"] for c in COMMANDS],
        ["config", "-h"],
        *[[*c, "-h"] for c in SUBCOMMANDS],
        ["config", "show"],
    ],
    ids=" ".join,
)
def test_answers_that_need_no_model_import_nothing_heavy(arguments):
    assert loaded_by(*arguments) == []


def test_scoring_and_inspecting_on_the_cpu_import_nothing_heavy(input_file, model, tmp_path):
    output = tmp_path / "out.parquet"
    assert loaded_by("score", input_file, output, "--model", model) == []
    assert output.exists()
    assert loaded_by("inspect", model) == []
    assert loaded_by("inspect", output) == []


def test_the_look_for_imports_would_see_one(input_file, model, tmp_path):
    arguments = ("--model", model, "--engine", "tensorflow")
    assert "keras" in loaded_by("score", input_file, tmp_path / "out.parquet", *arguments)


def test_colours_are_for_terminals_and_nobody_who_minds(model):
    assert COLOUR.search(on_a_terminal("score", "--help"))
    assert not COLOUR.search(on_a_terminal("score", "--help", NO_COLOR="1"))
    for run in (run_cli("score", "--help"), run_cli("inspect", model), run_cli("score", "a")):
        assert "\x1b" not in run.stdout + run.stderr


def test_a_terminal_shows_progress_and_the_result(input_file, model, tmp_path):
    shown = on_a_terminal("score", input_file, tmp_path / "out.parquet", "--model", model)
    assert "500/500" in shown
    # A long path wraps the line.
    assert "500 rows in" in " ".join(shown.split())


@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "C", "LC_ALL": "C"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=str,
)
def test_labels_of_any_script_print_in_any_encoding(environment, tmp_path):
    labels = ("évaluation", "文本", "😀 \x1b[31m", "a\nb")
    bundle = random_bundle(labels=labels)
    bundle = replace(bundle, settings=replace(bundle.settings, text_column="テキスト"))
    model = write_bundle(tmp_path / "модель", bundle)
    run = run_cli("inspect", model, **environment)
    assert (run.returncode, run.stderr) == (0, "")
    assert "\x1b" not in run.stdout
    run = run_cli("inspect", model, "--json", **environment)
    assert json.loads(run.stdout)["labels"] == list(labels)
    labelled = tmp_path / "in.csv"
    labelled.write_text(
        "テキスト,label\nrefund,文本\nlogin,évaluation\ncrash,ß\n", encoding="utf-8"
    )
    run = run_cli("evaluate", labelled, "--model", model, **environment)
    assert (run.returncode, run.stderr) == (0, "")
    run = run_cli("score", tmp_path / "ß\udcff\n.csv", "out.parquet", **environment)
    assert run.returncode == 68
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_our_own_signs_have_a_plain_form(encoding, model, input_file, tmp_path):
    settings = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"}
    run = run_cli("inspect", model, **settings)
    assert re.search(r"words . 8 > GRU 10 > LSTM 9 >", run.stdout)
    assert "\\u" not in run.stdout
    assert "-----" in run.stdout
    run = run_cli("config", "show", "score", **settings)
    assert re.search(r"columns[ |]+-[ |]+default", run.stdout)


def test_names_that_are_not_utf8_work_from_input_to_report(texts, model, tmp_path):
    # A byte that is no UTF-8, and a line break.
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/f\xff\n"))
    folder.mkdir()
    output, report = folder / "out.parquet", folder / "report.json"
    # pyarrow writes to no such name, but a file can be moved there.
    source = write_texts(tmp_path / "in.parquet", texts).rename(folder / "in.parquet")
    csv = folder / "in.csv.gz"
    csv.write_bytes(gzip.compress(b"text\nrefund\n"))
    for given in (source, csv):
        arguments = ("--model", model, "--report", report, "--overwrite")
        run = run_cli("score", given, output, *arguments)
        assert (run.returncode, run.stderr) == (0, "")
        assert run.stdout.count("\n") == 1
        assert json.loads(report.read_text())["output"] == str(output)


@pytest.mark.parametrize("flags", ["", "--json"])
@pytest.mark.parametrize("command", ["inspect {model}", "score {input} {output} --model {model}"])
@pytest.mark.parametrize(
    ("stdout", "code"), [(">/dev/full", 74), (">&-", 0), ("<&- >&- 2>&-", 0), ("| true", 0)]
)
def test_a_stdout_that_takes_nothing(stdout, code, command, flags, input_file, model, tmp_path):
    output = tmp_path / "out.parquet"
    line = command.format(model=model, input=input_file, output=output)
    run = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m textbatch {line} {flags} {stdout}"],
        capture_output=True,
        text=True,
        check=False,
    )
    done = command.startswith("score")
    assert run.returncode == (0 if done else code), run.stderr
    assert run.stderr.count("\n") == (1 if code else 0)
    assert "Traceback" not in run.stderr
    if done:
        assert output.exists()


@pytest.mark.parametrize(
    ("action", "code", "kind"), [("term", 143, "Terminated"), ("int", 130, "Interrupted")]
)
def test_a_signal_stops_the_run_and_leaves_the_old_output(
    action, code, kind, input_file, model, tmp_path
):
    output, report = tmp_path / "out.parquet", tmp_path / "report.json"
    output.write_bytes(b"precious")
    arguments = [input_file, output, "--model", model, "--overwrite", "--report", report]
    process = subprocess.run(
        [sys.executable, "-m", "textbatch", "score", *arguments, "--chunk-rows", "20"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TEXTBATCH_FAILPOINTS": f"journal-written:1:0:{action}"},
        # A shell that runs the tests in the background has SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.returncode == code
    assert process.stdout == ""
    assert process.stderr.count("\n") == 1
    assert process.stderr.startswith(f"textbatch: error[{kind}]: stopped by ")
    assert output.read_bytes() == b"precious"
    # What was computed is kept for the next run, and nothing else.
    state = tmp_path / ".out.parquet.textbatch"
    assert sorted(tmp_path.iterdir()) == [state, input_file, output, report]
    assert sorted(entry.name for entry in state.iterdir()) == ["journal", "lock"]
    told = json.loads(report.read_text())
    assert (told["state"], told["exit_code"]) == ("failed", code)
