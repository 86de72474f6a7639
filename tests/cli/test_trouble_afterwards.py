"""A job that is done stays done, whatever happens to what is written about it."""

from __future__ import annotations

import errno
import inspect
import json

import pyarrow.parquet as pq
import pytest

from textbatch.cli import score_watched
from textbatch.errors import StorageError
from textbatch.integrations import openlineage, prometheus
from textbatch.report import files
from textbatch.training import audit, import_keras, train, tune

ERRORS = [
    StorageError("no space left", "free space"),
    OSError(errno.EROFS, "read only"),
    ValueError("the cell 'kanarienvogel'"),
    MemoryError(),
]


class Client:
    """Sends nothing."""

    def emit(self, event: object) -> None:
        """Nothing."""

    def close(self, seconds: float) -> None:
        """Nothing."""


@pytest.fixture(params=ERRORS, ids=lambda error: type(error).__name__)
def failing(request):
    def call(*_arguments: object, **_options: object) -> None:
        raise request.param

    return call


@pytest.fixture
def score(input_file, model, tmp_path, in_process):
    def run(*flags, output="out.parquet", **environment):
        arguments = ("--model", model, *flags)
        return in_process("score", input_file, tmp_path / output, *arguments, **environment)

    return run


def check_done(run, path, what: str) -> None:
    assert run.returncode == 0, run.stderr
    assert pq.read_metadata(path).num_rows == 500
    (line,) = [line for line in run.stderr.splitlines() if what in line]
    assert line.startswith("warning: the job is done, but")
    assert "kanarienvogel" not in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("flag", "name", "module", "what"),
    [
        ("--report", "report.json", "textbatch.scoring.score.write_json", "the report"),
        ("--html", "page.html", "textbatch.cli.score_watched.write_whole", "the page"),
        ("--html", "page.html", "textbatch.report.html.run_page.run_page", "the page"),
        ("--metrics-file", "m.prom", "textbatch.integrations.prometheus._write", "the metrics"),
    ],
)
def test_what_cannot_be_written_about_a_run_is_a_warning(
    flag, name, module, what, failing, score, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, failing)
    run = score(flag, tmp_path / name, "--json")
    check_done(run, tmp_path / "out.parquet", what)
    assert json.loads(run.stdout)["state"] == "done"
    assert not (tmp_path / name).exists()
    # Nothing is left over, so that the same command would not be taken for the same run again.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input.parquet", "out.parquet"]


# The thread of the client imports a library that warns of its own.
@pytest.mark.filterwarnings("default")
def test_lineage_that_cannot_be_sent_is_a_warning(failing, score, tmp_path, monkeypatch):
    def closed(lineage: openlineage.Lineage, _report: object) -> None:
        # Its thread must end with this test.
        lineage._events.put(None)
        lineage._thread.join()
        failing()

    monkeypatch.setattr(openlineage.Lineage, "completed", closed)
    monkeypatch.setattr(openlineage, "_client", Client)
    run = score(OPENLINEAGE_URL="http://127.0.0.1:9")
    check_done(run, tmp_path / "out.parquet", "the lineage")


def test_of_a_folder_as_well(failing, model, input_file, tmp_path, in_process, monkeypatch):
    monkeypatch.setattr(score_watched, "write_whole", failing)
    (tmp_path / "in").mkdir()
    input_file.rename(tmp_path / "in" / "a.parquet")
    arguments = ("--model", model, "--html", tmp_path / "page.html")
    run = in_process("score", tmp_path / "in", tmp_path / "out", *arguments)
    assert (tmp_path / "out" / "_SUCCESS").exists()
    check_done(run, tmp_path / "out" / "a.parquet", "the page")
    assert not (tmp_path / ".out.textbatch").exists()


def test_what_cannot_be_told_of_a_failure_does_not_hide_it(failing, score, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "write_json", failing)
    monkeypatch.setattr(prometheus, "_write", failing)
    beside = ("--report", tmp_path / "r.json", "--metrics-file", tmp_path / "m.prom")
    run = score("--text-column", "nothere", *beside)
    assert run.returncode == 65
    assert "has no column" in run.stderr


@pytest.mark.parametrize("module", [train, tune, audit, import_keras])
def test_every_other_command_writes_its_report_so(module):
    # Their runs are long.
    source = inspect.getsource(module)
    assert source.count("write_json(") == source.count("with only_warned(") == 1
