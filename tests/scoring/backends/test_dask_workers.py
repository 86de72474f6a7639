"""What becomes of tasks of Dask whose workers or answers are lost, with a client that only acts."""

from __future__ import annotations

import sys
from collections import Counter, deque
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from textbatch.errors import TryAgainError
from textbatch.scoring.backends import dask_workers
from textbatch.scoring.backends.dask_workers import DaskWorkers
from textbatch.scoring.backends.port import Outcome
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask

CONFIG = ScoreConfig(inputs=(Path("in"),), output=Path("out"), model=Path("model"))
TASK = FileTask(config=CONFIG, run_id="r", input=Path("a"), output=Path("a.parquet"))


class KilledWorkerError(Exception):
    pass


class Lost:
    """A future whose answer is gone with its worker."""

    def __init__(self, status: str):
        self.status = status

    def result(self, timeout):
        assert timeout
        raise TimeoutError


@pytest.fixture
def workers(monkeypatch) -> DaskWorkers:
    scheduler = ModuleType("distributed.scheduler")
    scheduler.KilledWorker = KilledWorkerError
    monkeypatch.setitem(sys.modules, "distributed", ModuleType("distributed"))
    monkeypatch.setitem(sys.modules, "distributed.scheduler", scheduler)
    made = DaskWorkers.__new__(DaskWorkers)
    made._waiting, made._lost = deque(), Counter()
    made._away = made._lonely = made._looked = 0.0
    made._patience, made._width_here, made._cluster = 60.0, 2, None
    made._client = SimpleNamespace(status="running", nthreads=lambda: {"tcp://a:1": 1})
    return made


@pytest.mark.parametrize("status", ["finished", "cancelled", "lost"])
def test_a_lost_answer_is_asked_for_again_and_ends_no_other_task(status, workers):
    for _ in range(dask_workers._MOST_LOST):
        assert workers._outcome(Lost(status), TASK) is None
        assert workers._waiting.popleft() == TASK
    outcome = workers._outcome(Lost(status), TASK)
    assert isinstance(outcome.error, TryAgainError)
    assert "loses a again and again" in outcome.error.what
    # Another one is counted by itself.
    other = FileTask(config=CONFIG, run_id="r", input=Path("b"), output=Path("b.parquet"))
    assert workers._outcome(Lost(status), other) is None


def test_an_answer_and_a_death_are_told(workers):
    done = Outcome(task=TASK)
    future = SimpleNamespace(status="finished", result=lambda timeout: done)
    assert workers._outcome(future, TASK) is done
    killed = SimpleNamespace(status="error", exception=KilledWorkerError)
    assert workers._outcome(killed, TASK).alone


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        self.now += 10.0
        return self.now


def test_a_cluster_whose_workers_are_gone_has_a_minute(workers, monkeypatch):
    monkeypatch.setattr(dask_workers, "time", Clock())
    there = {}
    workers._client = SimpleNamespace(status="running", nthreads=lambda: there)
    for _ in range(5):
        workers._look_about()
    there["tcp://a:1"] = 1
    workers._look_about()
    there.clear()
    for _ in range(5):
        workers._look_about()
    with pytest.raises(TryAgainError, match="no worker for 60 s"):
        workers._look_about()


def test_a_scheduler_that_is_gone_has_half_a_minute(workers, monkeypatch):
    monkeypatch.setattr(dask_workers, "time", Clock())
    workers._client.status = "connecting"
    workers._look_about()
    workers._look_about()
    with pytest.raises(TryAgainError, match="scheduler of Dask is gone"):
        workers._look_about()
    workers._client.status = "closed"
    workers._away = 0.0
    with pytest.raises(TryAgainError):
        workers._look_about()


@pytest.mark.parametrize(
    ("states", "named", "wanted"),
    [
        (("running", "running"), 2, []),
        # One was closed, and is still listed.
        (("running", "closed"), 2, [3]),
        (("closed", "running", "running"), 3, []),
        (("closed", "running", "failed"), 3, [4]),
        # One was taken off the list.
        (("running",), 2, [2]),
        ((), 2, [2]),
    ],
)
def test_workers_that_dask_gives_up_are_replaced(states, named, wanted, workers):
    asked = []
    nannies = {
        number: SimpleNamespace(status=SimpleNamespace(name=state))
        for number, state in enumerate(states)
    }
    workers._cluster = SimpleNamespace(
        workers=nannies, worker_spec=dict.fromkeys(range(named)), scale=asked.append
    )
    workers._replace_dead()
    assert asked == wanted
