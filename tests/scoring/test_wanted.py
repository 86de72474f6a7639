"""Attempts at one task at the same time, and tasks that nobody wants any more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts

from textbatch.data.output.holder import Holder
from textbatch.data.output.work_directory import WorkDirectory, lock_of
from textbatch.errors import BundleError, TryAgainError
from textbatch.report.listener import Listener
from textbatch.scoring import wanted
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask
from textbatch.scoring.score_file import score_file

RUN = "a" * 16


@pytest.fixture
def task(model, tmp_path):
    """A task of a job whose lock this process holds."""
    write_texts(tmp_path / "in.parquet", random_texts(50))
    (tmp_path / "out").mkdir()
    work = WorkDirectory(tmp_path / "out", RUN)
    config = ScoreConfig(inputs=(tmp_path,), output=tmp_path / "out", model=model, chunk_rows=10)
    yield FileTask(
        config=config,
        run_id=RUN,
        input=tmp_path / "in.parquet",
        output=tmp_path / "out" / "in.parquet",
        if_exists="skip",
        holder=Holder.this_process(tmp_path / "out", RUN),
    )
    work.release(keep=False)


class TakenOver(Listener):
    """After some rows, another run takes over the job."""

    def __init__(self, task):
        self.task, self.rows = task, 0

    def advance(self, rows, share=None):
        self.rows += rows
        lock_of(self.task.holder.work).write_text('{"run_id": "another"}')


def test_a_second_attempt_waits_for_the_first_and_finds_its_part(task):
    first = WorkDirectory(task.output, RUN)
    with ThreadPoolExecutor() as pool:
        second = pool.submit(score_file, task)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.3)
        first.release(keep=True)
        assert second.result().state == "done"
    before = task.output.read_bytes()
    assert score_file(task).state == "skipped"
    score_file(replace(task, if_exists="replace"))
    assert task.output.read_bytes() == before


def test_an_output_that_another_run_holds_is_not_waited_for_without_end(task, monkeypatch):
    monkeypatch.setattr(wanted, "_PATIENCE_SECONDS", 0)
    other = WorkDirectory(task.output, "b" * 16)
    with pytest.raises(TryAgainError, match="is being written"):
        score_file(task)
    other.release(keep=False)


def test_nothing_is_published_for_a_run_that_was_followed(task):
    progress = TakenOver(task)
    with pytest.raises(TryAgainError, match="has ended"):
        score_file(task, progress=progress)
    assert progress.rows == 10
    assert not task.output.exists()
    with pytest.raises(TryAgainError, match="has ended"):
        score_file(task)


def test_a_worker_with_another_model_scores_nothing(task):
    with pytest.raises(BundleError, match="not the model that the job began with"):
        score_file(replace(task, fingerprint="0" * 64))
    assert not task.output.exists()
    score_file(task)
    assert pq.read_table(task.output).num_rows == 50
