"""Actors of Ray, each of which holds the model."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from textbatch.errors import TryAgainError
from textbatch.scoring.backends.cluster import (
    broken,
    death,
    sendable_task,
    signals_kept,
    signals_seen,
    with_threads,
)
from textbatch.scoring.backends.cores import shares_of
from textbatch.scoring.backends.port import LOOK_SECONDS, TRIES, Outcome
from textbatch.scoring.backends.ray_start import Room, chosen, connect
from textbatch.scoring.backends.worker import work
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask


class RayActors:
    """Scores tasks in actors of Ray, one at a time in each.

    Attributes:
        width: How many tasks it takes at the same time.
    """

    def __init__(self, config: ScoreConfig, *, most: int, meanwhile: Callable[[], None]) -> None:
        """Connect to the cluster, or start Ray on this machine.

        Args:
            config: The job's options.
            most: How many tasks there are.
            meanwhile: Called now and then while it waits.

        Raises:
            UsageError: The address is malformed.
            TryAgainError: The cluster does not answer.
        """
        self.width = max(1, min(config.jobs, most))
        self._config = config
        self._meanwhile, self._gpus = meanwhile, config.gpus_per_worker
        # A cluster reserves so many CPUs for each actor: together they never have more than it has.
        self._threads = config.threads or 1
        with signals_kept():
            self._owned = self._connect(config)
        self._waiting: deque[FileTask] = deque()
        self._running: dict[Any, tuple[FileTask, Any]] = {}
        self._idle: list[Any] = []
        self._coming: dict[Any, Any] = {}
        self._room = self._start_of_room()
        for _ in range(self.width):
            self._begin_actor()

    def submit(self, task: FileTask) -> None:
        """Put a task at the end."""
        self._waiting.append(with_threads(sendable_task(task, self._config), self._threads))

    def as_completed(self) -> Iterator[Outcome]:
        """Yield what came of the tasks; Ray begins one again whose actor died."""
        import ray

        while self._waiting or self._running:
            while self._waiting and self._idle:
                actor, task = self._idle.pop(), self._waiting.popleft()
                self._running[actor.do.remote(task)] = (task, actor)
            references = [*self._running, *self._coming]
            with signals_seen():
                done, _ = ray.wait(references, num_returns=1, timeout=LOOK_SECONDS)
            if not done:
                self._meanwhile()
                self._check_room()
            for reference in done:
                if reference in self._coming:
                    self._welcome(reference)
                else:
                    yield self._outcome(reference)

    def close(self) -> None:
        """Kill the actors, and Ray where it was started here."""
        import ray

        with suppress(Exception):  # the cluster may be gone
            for actor in (
                *self._idle,
                *self._coming.values(),
                *(a for _, a in self._running.values()),
            ):
                ray.kill(actor)
        if self._owned:
            with suppress(Exception):
                ray.shutdown()

    def _connect(self, config: ScoreConfig) -> bool:
        """Whether this process is connected by this call."""
        # Not imported before what it is to wait for is set.
        if "ray" in sys.modules and sys.modules["ray"].is_initialized():
            return False
        if chosen(config.address) == "local":
            self.width, self._threads = shares_of(config.jobs, config.threads, most=self.width)
        connect(config.address, self.width * self._threads)
        import ray

        # It tells of dead actors on standard output, which is for the report alone.
        ray._private.worker._worker_logs_enabled = False
        return True

    def _begin_actor(self) -> None:
        import ray

        actor = (
            ray.remote(_Actor)
            .options(
                num_cpus=self._threads,
                num_gpus=self._gpus,
                max_restarts=-1,
                max_task_retries=TRIES - 1,
            )
            .remote()
        )
        self._coming[actor.here.remote()] = actor

    def _welcome(self, reference: Any) -> None:  # noqa: ANN401 - an ObjectRef
        """An actor has its place. Ray gives it none as long as its CPUs are taken."""
        import ray

        actor = self._coming.pop(reference)
        try:
            with signals_seen():
                ray.get(reference)
        except Exception as error:
            if not self._idle and not self._running and not self._coming and self._waiting:
                raise broken(self._waiting[0], error) from error
            return
        self._idle.append(actor)

    def _outcome(self, reference: Any) -> Outcome:  # noqa: ANN401 - an ObjectRef
        import ray
        from ray.exceptions import OutOfMemoryError, RayActorError

        task, actor = self._running.pop(reference)
        try:
            with signals_seen():
                found: Outcome = ray.get(reference)
        except (RayActorError, OutOfMemoryError):
            outcome = Outcome(task=task, error=death(task), alone=True)
        except Exception as error:
            outcome = Outcome(task=task, error=broken(task, error))
        else:
            self._idle.append(actor)
            return found
        # What state it is in is not known.
        with suppress(Exception):
            ray.kill(actor)
        self._room.begin()
        self._begin_actor()
        return outcome

    def _check_room(self) -> None:
        import ray

        if not ray.is_initialized():
            raise TryAgainError("Ray is gone", "start it, then run again")
        if not self._idle and not self._running:
            self._room.check()

    def _start_of_room(self) -> Room:
        import ray

        gpus = f" and {self._gpus:g} GPUs" if self._gpus else ""
        return Room(
            lambda: ray.remote(_nothing).options(num_cpus=0).remote(),
            lambda asked: bool(ray.wait([asked], timeout=0)[0]),
            wanted=f"{self._threads} CPUs{gpus}",
        )


def _nothing() -> None:
    """What a process does that shows whether processes start. It imports what an actor imports."""


class _Actor:
    """What Ray starts in a process of its own. The model is loaded at the first task."""

    def here(self) -> None:
        """Nothing: the answer says that it has its place."""

    def do(self, task: FileTask) -> Outcome:
        """Score a task."""
        return work(task)
