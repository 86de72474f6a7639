"""How long Ray may take to start a worker: a slow machine is waited for, a full cluster is not."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from textbatch.errors import TryAgainError
from textbatch.scoring.backends import ray_start
from textbatch.scoring.backends.cluster import ROOM_SECONDS, START_SECONDS
from textbatch.scoring.backends.ray_start import Room, chosen, connect

PATIENCE = "RAY_worker_register_timeout_seconds"


class Cluster:
    """Seconds that pass, and a process that answers after some of them."""

    def __init__(self, answers_at: float):
        self.now, self.probes, self.answers_at = 0.0, 0, answers_at
        self.room = Room(self.probe, self.answered, wanted="2 CPUs", clock=lambda: self.now)

    def probe(self) -> str:
        self.probes += 1
        return "asked"

    def answered(self, asked: str) -> bool:
        assert asked == "asked"
        return self.now >= self.answers_at

    def ends_after(self) -> tuple[float, str]:
        while self.now < 2 * START_SECONDS:
            try:
                self.room.check()
            except TryAgainError as error:
                return self.now, error.what
            self.now += 0.5
        raise AssertionError("never")


def test_a_full_cluster_is_told_after_a_minute():
    cluster = Cluster(answers_at=0)
    moment, what = cluster.ends_after()
    assert moment == ROOM_SECONDS
    assert "no room for a worker with 2 CPUs for 60 s" in what
    assert cluster.probes == 1


@pytest.mark.parametrize("answers_at", [100, 400])
def test_a_slow_cluster_is_waited_for(answers_at):
    """As long as no process has started, it is not known whether there is room."""
    cluster = Cluster(answers_at=answers_at)
    moment, what = cluster.ends_after()
    assert moment == answers_at + ROOM_SECONDS / 2
    assert "no room" in what


def test_a_cluster_that_starts_nothing_is_told_after_ten_minutes():
    moment, what = Cluster(answers_at=10**6).ends_after()
    assert moment == START_SECONDS
    assert "no process for 600 s" in what


def test_a_quick_cluster_is_asked_for_nothing_and_a_new_worker_has_its_own_minute():
    cluster = Cluster(answers_at=0)
    cluster.now = ROOM_SECONDS / 2 - 1
    cluster.room.check()
    assert cluster.probes == 0
    cluster.now = ROOM_SECONDS - 1
    cluster.room.check()
    cluster.room.begin()
    moment, _ = cluster.ends_after()
    assert moment == 2 * ROOM_SECONDS - 1


class FakeRay(SimpleNamespace):
    """Starts at the third time."""

    def __init__(self, told: str):
        super().__init__(tries=0, seen=[], told=told)

    def init(self, address, num_cpus, **_):
        self.tries += 1
        self.seen.append((address, num_cpus, os.environ[PATIENCE]))
        if self.tries < 3:
            raise Exception(self.told)

    def shutdown(self):
        pass


def test_a_slow_start_on_this_machine_is_begun_again(monkeypatch):
    ray = FakeRay("The current node timed out during startup.")
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.delenv(PATIENCE, raising=False)
    connect(None, 2)
    assert ray.seen == [("local", 2, "600")] * 3
    # Nothing of it is left for what this process starts later.
    assert PATIENCE not in os.environ


@pytest.mark.parametrize(
    ("told", "seconds"), [("no such file", 600), ("timed out during startup", 0)]
)
def test_a_start_that_fails_is_told(told, seconds, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", FakeRay(told))
    monkeypatch.setattr(ray_start, "START_SECONDS", seconds)
    monkeypatch.setenv(PATIENCE, "5")
    with pytest.raises(TryAgainError, match="cannot start on this machine"):
        connect("local", 1)
    # What the caller has set is kept.
    assert os.environ[PATIENCE] == "5"


def test_the_address_is_that_of_the_option_then_of_the_environment(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert chosen("10.0.0.2:6379") == "10.0.0.2:6379"
    assert chosen(None) == "10.0.0.1:6379"
    monkeypatch.delenv("RAY_ADDRESS")
    assert chosen(None) == "local"
