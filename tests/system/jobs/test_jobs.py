from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import textbatch.errors
from textbatch.report.scoring import RunReport

ROOT = Path(__file__).parents[3]
RUN = ROOT / "jobs" / "run.sh"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def command_on_path(monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def run_script(source, output, model, *flags, path=""):
    variables = {"TEXTBATCH_INPUT": source, "TEXTBATCH_OUTPUT": output, "TEXTBATCH_MODEL": model}
    environment = {**os.environ, **{name: str(value) for name, value in variables.items()}}
    environment["PATH"] = f"{path}:{os.environ['PATH']}"
    return subprocess.Popen(
        [RUN, *flags], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def fake_command(folder: Path, body: str) -> Path:
    command = folder / "textbatch"
    command.write_text(f"#!/bin/sh\n{body}\n")
    command.chmod(0o755)
    return command


def test_run_script_scores_and_writes_its_report_beside_the_output(input_file, model, tmp_path):
    output = tmp_path / "out put.parquet"
    run = run_script(input_file, output, model, "--top-k", "2")
    assert run.communicate(timeout=60)[1] == ""
    assert run.returncode == 0
    assert "top_labels" in pq.read_schema(output).names
    report = json.loads((tmp_path / "out put.report.json").read_text("utf-8"))
    assert (report["state"], report["rows_out"]) == ("done", 500)


def test_run_script_hands_the_exit_code_on(input_file, model, tmp_path):
    output = tmp_path / "out.parquet"
    output.touch()
    run = run_script(input_file, output, model)
    assert "exists; add --overwrite" in run.communicate(timeout=60)[1]
    assert run.returncode == 73
    report = json.loads((tmp_path / "out.report.json").read_text("utf-8"))
    assert (report["state"], report["exit_code"]) == ("failed", 73)


@pytest.mark.parametrize("name", ["TEXTBATCH_INPUT", "TEXTBATCH_OUTPUT", "TEXTBATCH_MODEL"])
def test_run_script_names_a_missing_variable_and_shows_its_usage(name, tmp_path):
    names = ("TEXTBATCH_INPUT", "TEXTBATCH_OUTPUT", "TEXTBATCH_MODEL")
    run = run_script(*("" if each == name else tmp_path / "set" for each in names))
    stdout, stderr = run.communicate(timeout=60)
    assert (run.returncode, stdout) == (2, "")
    assert stderr.startswith(f"run.sh: {name} is not set\nusage: ")


def test_run_script_becomes_the_command_so_that_signals_reach_it(tmp_path):
    fake_command(tmp_path, 'echo $$ "$@"')
    run = run_script("-in", "out.parquet", "model", "--top-k", "2", path=tmp_path)
    arguments = "score --model model --report out.report.json --top-k 2 -- -in out.parquet"
    assert run.communicate(timeout=60)[0] == f"{run.pid} {arguments}\n"


@pytest.mark.skipif(not shutil.which("flock"), reason="no flock (util-linux)")
def test_cron_line_is_quiet_after_a_good_run_and_tells_of_a_bad_one(input_file, model, tmp_path):
    *settings, line = (ROOT / "jobs" / "crontab").read_text("utf-8").splitlines()
    *times, command = line.split(maxsplit=5)
    assert len(times) == 5
    assert all(re.fullmatch(r"[\d*]+", time) for time in times)
    assert "%" not in command  # cron reads it as the end of the line
    installed = [word for word in shlex.split(command) if word.startswith("/opt/textbatch/")]
    assert [ROOT / Path(word).relative_to("/opt/textbatch") for word in installed] == [RUN]
    named = dict(entry.split("=", 1) for entry in settings if re.match(r"\w+=", entry))
    assert {name for name in named if name.startswith("TEXTBATCH_")} == {
        *re.findall(r"missing (TEXTBATCH_\w+)", RUN.read_text("utf-8"))
    }

    command = command.replace("/opt/textbatch", str(ROOT)).replace("/srv/textbatch", str(tmp_path))
    paths = {
        "TEXTBATCH_INPUT": str(input_file),
        "TEXTBATCH_OUTPUT": str(tmp_path / "out.parquet"),
        "TEXTBATCH_MODEL": str(model),
    }

    def mail() -> str:
        run = ["/bin/sh", "-c", command]
        environment = {**os.environ, **paths}
        return subprocess.run(
            run, env=environment, text=True, check=False, timeout=60, stdout=subprocess.PIPE
        ).stdout

    assert mail() == ""
    assert mail() == ""  # the second night replaces the first one's output
    input_file.unlink()
    assert "textbatch: error[InputNotFound]" in mail()


def cron(*words: str | Path, **variables: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command as cron does: from the root, in an almost empty environment, no terminal."""
    return subprocess.run(
        [*map(str, words)], env={name: str(value) for name, value in variables.items()}, cwd="/",
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_cron_needs_neither_home_nor_a_terminal_nor_the_command_in_its_path(
    input_file, model, tmp_path
):
    paths = {
        "TEXTBATCH_INPUT": input_file,
        "TEXTBATCH_OUTPUT": tmp_path / "out.csv",
        "TEXTBATCH_MODEL": model,
        "TEXTBATCH_SCORE_MIN_CONFIDENCE": "0.9",
    }
    # As it is installed: the script beside the environment, which PATH does not have.
    script = shutil.copy(RUN, (tmp_path / "jobs").mkdir() or tmp_path / "jobs")
    missing = cron(script, PATH="/nowhere", **paths)
    assert missing.returncode == 2
    assert missing.stderr.startswith("run.sh: there is no textbatch in PATH (/nowhere), nor ")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    fake_command(tmp_path / ".venv" / "bin", f'exec {sys.executable} -m textbatch "$@"')
    source = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = cron("/bin/sh", script, "--overwrite", **paths, **source)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1  # no bar, no advice
    assert "low_confidence" in done.stdout
    again = cron("/bin/sh", script, **paths, **source)
    assert again.returncode == 73
    assert again.stderr.count("\n") == 1


def documented_codes() -> dict[int, str]:
    rows = re.findall(r"^\| (\d+) \|[^|]+\| ([^|]+) \|", OPERATIONS, re.MULTILINE)
    return {int(code): retry for code, retry in rows}


def test_operations_document_every_exit_code():
    raised = {
        kind.exit_code
        for kind in vars(textbatch.errors).values()
        if isinstance(kind, type) and hasattr(kind, "exit_code")
    }
    assert documented_codes().keys() == raised | {0, 130}


def test_operations_tell_truly_which_exit_codes_are_worth_a_retry():
    final = {code for code, retry in documented_codes().items() if not retry.startswith("yes")}
    assert final - {0} == set(textbatch.errors.final_exit_codes())


def test_operations_document_every_field_of_the_report():
    section = OPERATIONS.split("## The run report")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    documented = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(documented) == sorted(
        ["schema_version", *(field.name for field in fields(RunReport))]
    )


def test_operations_document_every_variable_that_is_read():
    read = [*(ROOT / "src").rglob("*.py"), RUN]
    found = {n for path in read for n in re.findall(r"TEXTBATCH_\w+", path.read_text("utf-8"))}
    assert set(re.findall(r"^\| `(TEXTBATCH_\w+)`", OPERATIONS, re.MULTILINE)) == found


def test_licence_is_the_complete_text():
    # As published at https://www.apache.org/licenses/LICENSE-2.0.txt
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
