"""The seam between what a job decides and the path of one file."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from support.bundles import run_cli

from textbatch.data.bad_row_limit import BadRowLimit
from textbatch.data.output.footer import find_footer
from textbatch.errors import TooManyBadRowsError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileResult, FileTask
from textbatch.scoring.model_handle import ModelHandle
from textbatch.scoring.score import score
from textbatch.scoring.score_file import FileRun, score_file

RUN = "0123456789abcdef"

#: Knows nothing but the task, as a worker of Ray or Spark does.
CHILD = """
import pickle, sys
from textbatch.scoring.score_file import score_file
task = pickle.load(sys.stdin.buffer)
pickle.dump(score_file(task), sys.stdout.buffer)
"""


@pytest.fixture
def task(input_file, model, tmp_path) -> FileTask:
    config = ScoreConfig(
        inputs=(input_file,), output=tmp_path / "here.parquet", model=model, probabilities=True
    )
    return FileTask.of(config, RUN)


def test_task_and_result_are_the_same_after_pickling(task):
    assert pickle.loads(pickle.dumps(task)) == task
    result = score_file(task)
    assert pickle.loads(pickle.dumps(result)) == result
    with pytest.raises(FrozenInstanceError):
        result.state = "failed"
    with pytest.raises(FrozenInstanceError):
        task.output = Path("elsewhere")


def test_a_task_run_in_a_child_process_gives_the_same_bytes(task, tmp_path):
    here = score_file(task)
    sent = replace(task, output=tmp_path / "there.parquet")
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=pickle.dumps(sent), capture_output=True, check=True
    )
    there = pickle.loads(done.stdout)
    assert isinstance(there, FileResult)
    assert replace(there, rows_per_second=here.rows_per_second) == here
    assert sent.output.read_bytes() == task.output.read_bytes()
    assert score(replace(task.config, if_exists="skip")).state == "skipped"


def test_a_result_says_what_the_report_and_the_footer_say(task, model):
    result = score_file(task)
    footer = find_footer(task.output)
    assert result.state == "done"
    assert (footer.counts(), footer.seal) == (result.counts, result.seal)
    report = score(replace(task.config, if_exists="skip"))
    assert report.fingerprint == result.model.fingerprint == footer.fingerprint
    assert report.statuses == result.counts.statuses
    assert result.model.profile is not None
    assert result.counts.rows_in == 500


def test_no_task_looks_at_the_file_system_when_it_is_made(task, monkeypatch):
    def look(*_arguments, **_keywords):
        raise AssertionError

    for name in ("stat", "resolve", "exists", "is_dir"):
        monkeypatch.setattr(Path, name, look)
    made = replace(
        task, input=Path("x.csv"), output=Path("x.parquet"), bad_rows=BadRowLimit(count=3)
    )
    assert made.config is task.config


def test_one_model_serves_many_tasks(task, tmp_path):
    handle = ModelHandle(task.config)
    try:
        results = [
            score_file(replace(task, output=tmp_path / f"{number}.parquet"), handle)
            for number in range(2)
        ]
    finally:
        handle.close()
    assert results[0].tokens == results[1].tokens > 0
    assert (tmp_path / "0.parquet").read_bytes() == (tmp_path / "1.parquet").read_bytes()


def test_of_a_file_that_failed_is_known_what_had_been_done(model, tmp_path):
    (tmp_path / "in.csv").write_bytes(b"text\nrefund\n\xff\xfe\nlogin\n")
    config = ScoreConfig(
        inputs=(tmp_path / "in.csv",),
        output=tmp_path / "out.parquet",
        model=model,
        quarantine=tmp_path / "bad.jsonl",
    )
    handle = ModelHandle(config)
    run = FileRun(FileTask.of(config, RUN), handle, None)
    try:
        with pytest.raises(TooManyBadRowsError):
            run.run()
    finally:
        handle.close()
    known = run.known()
    assert known.state == "failed"
    assert (known.counts.rows_in, known.counts.rows_out) == (3, 0)
    assert known.counts.rows_quarantined == 1
    assert known.model.engine == "onnx"


def test_the_report_of_a_run_that_failed_early_is_whole(model, tmp_path):
    report = tmp_path / "report.json"
    done = run_cli(
        "score", tmp_path / "no.csv", tmp_path / "o.parquet", "-m", model, "--report", report
    )
    assert done.returncode == 68
    assert '"state": "failed"' in report.read_text()
