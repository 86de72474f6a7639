"""Workers that die: their tasks are begun again, and only the guilty one fails."""

from __future__ import annotations

from contextlib import closing

import joblib
import pytest
from support.dying import die_by_name

from textbatch.errors import DataError, MissingExtraError, OutOfMemoryError, TextbatchError
from textbatch.scoring.backends.cores import shares_of
from textbatch.scoring.backends.local import LocalProcesses
from textbatch.scoring.backends.port import TRIES
from textbatch.scoring.backends.worker import sendable
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask


def tasks(folder, names) -> list[FileTask]:
    config = ScoreConfig(inputs=(folder,), output=folder / "out", model=folder / "model")
    return [
        FileTask(config=config, run_id="r", input=folder / name, output=folder / f"{name}.parquet")
        for name in names
    ]


def test_a_poisonous_task_fails_alone_and_is_named(tmp_path):
    names = ["once", "poison", *(f"f{number}" for number in range(6))]
    one = tasks(tmp_path, names)
    config = one[0].config
    found = {}
    with closing(LocalProcesses(config, workers=2, threads=1, do=die_by_name)) as backend:
        for task in one[:4]:
            backend.submit(task)
        later = iter(one[4:])
        for outcome in backend.as_completed():
            found[outcome.task.input.name] = outcome
            for task in later:
                backend.submit(task)
                break
    assert {*found} == {*names}
    failed = [name for name, outcome in found.items() if outcome.error]
    assert failed == ["poison"]
    error = found["poison"].error
    assert isinstance(error, OutOfMemoryError)
    assert str(tmp_path / "poison") in str(error)
    assert "SIGKILL" in str(error)
    attempts = (tmp_path / "poison").read_text().splitlines()
    # Another attempt may find the part of the last one, which died before it could tell.
    assert attempts[-1] == "skip 1"
    # It may have been charged with a worker that died before it could begin; not at the last time.
    assert 1 <= len(attempts) <= TRIES + 1


def test_workers_and_their_threads_are_never_more_than_the_cores(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 8)
    assert shares_of(3, None, most=100) == (3, 2)
    assert shares_of(4, 5, most=100) == (4, 2)
    assert shares_of(4, 1, most=100) == (4, 1)
    assert shares_of(100, None, most=100) == (8, 1)
    assert shares_of(4, None, most=2) == (2, 4)
    assert shares_of(4, None, most=0) == (1, 8)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (DataError("f is damaged", "mend it"), DataError, "f is damaged; mend it"),
        (MissingExtraError("x", "lib", "extra"), TextbatchError, "lib"),
        (MemoryError(), OutOfMemoryError, "in.parquet"),
        (ValueError("the cell's text"), TextbatchError, "ValueError"),
    ],
)
def test_an_error_travels_as_a_value(error, kind, says, tmp_path):
    (task,) = tasks(tmp_path, ["in.parquet"])
    sent = sendable(error, task)
    assert isinstance(sent, kind)
    assert sent.exit_code == getattr(error, "exit_code", kind.exit_code)
    assert says in str(sent)
    assert "cell's" not in str(sent)
    assert type(sent).__init__ is TextbatchError.__init__
