"""Tasks that are blamed for the death of another one's worker get a last try alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from textbatch.errors import DataError, TextbatchError
from textbatch.scoring.backends.last_try import LastTryAlone
from textbatch.scoring.backends.port import Outcome
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask


def task(name: str) -> FileTask:
    config = ScoreConfig(inputs=(Path("in"),), output=Path("out"), model=Path("model"))
    return FileTask(config=config, run_id="r", input=Path(name), output=Path(f"{name}.parquet"))


class Cluster:
    """Blames all that ran when a poisonous task was among them."""

    def __init__(self, width: int):
        self.width, self.waiting, self.rounds, self.closed = width, [], [], False

    def submit(self, task):
        self.waiting.append(task)

    def as_completed(self):
        while self.waiting:
            running = self.waiting[: self.width]
            del self.waiting[: self.width]
            self.rounds.append([one.input.name for one in running])
            died = any("poison" in one.input.name for one in running)
            for one in running:
                if one.input.name == "malformed":
                    yield Outcome(task=one, error=DataError("what", "do"))
                elif died:
                    yield Outcome(task=one, error=TextbatchError("died", "do"), alone=True)
                else:
                    yield Outcome(task=one)

    def close(self):
        self.closed = True


def run(names: list[str], width: int) -> tuple[Cluster, dict[str, Outcome]]:
    """As a job does: as many are submitted as the backend has room for."""
    cluster, found = Cluster(width), {}
    backend, left, submitted = LastTryAlone(cluster), [*names], 0
    while left and submitted < backend.width:
        backend.submit(task(left.pop(0)))
        submitted += 1
    for outcome in backend.as_completed():
        assert outcome.task.input.name not in found
        found[outcome.task.input.name] = outcome
        submitted -= 1
        while left and submitted < backend.width:
            backend.submit(task(left.pop(0)))
            submitted += 1
    backend.close()
    assert cluster.closed
    assert {*found} == {*names}
    return cluster, found


@pytest.mark.parametrize("width", [2, 3, 5])
@pytest.mark.parametrize("place", [0, 1, 10, 19])
def test_only_the_guilty_one_fails(place, width):
    names = [f"f{number}" for number in range(19)]
    names.insert(place, "poison")
    cluster, found = run(names, width)
    assert [name for name, outcome in found.items() if outcome.error] == ["poison"]
    # The last time nothing ran beside it, and the part of another attempt may be there.
    assert ["poison"] in cluster.rounds
    assert found["poison"].task.if_exists == "skip"
    # Others are begun twice at most.
    assert max(Counter(name for each in cluster.rounds for name in each).values()) == 2


def test_other_errors_and_tasks_that_ran_alone_are_told_at_once():
    cluster, found = run(["poison"], 2)
    assert cluster.rounds == [["poison"]]
    assert found["poison"].error
    cluster, found = run(["poison", "a"], 1)
    assert found["a"].error is None
    cluster, found = run(["malformed", "a"], 2)
    assert isinstance(found["malformed"].error, DataError)
    assert cluster.rounds == [["malformed", "a"]]


def test_where_everything_dies_the_job_ends_soon():
    names = [f"poison{number}" for number in range(200)]
    cluster, found = run(names, 4)
    assert all(outcome.error for outcome in found.values())
    assert sum(len(each) == 1 for each in cluster.rounds) <= 17
