"""Workers of a Dask cluster."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from textbatch.errors import TryAgainError
from textbatch.scoring.backends.cluster import (
    ANSWER_SECONDS,
    ROOM_SECONDS,
    START_SECONDS,
    broken,
    check_answers,
    death,
    no_room,
    sendable_task,
    unreachable,
    with_threads,
)
from textbatch.scoring.backends.cores import shares_of
from textbatch.scoring.backends.port import LOOK_SECONDS, TRIES, Outcome
from textbatch.scoring.backends.worker import work
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask

#: A scheduler that has been away for so long takes the tasks with it.
_AWAY_SECONDS = 30.0
#: How often the answer to a task may get lost.
_MOST_LOST = 10


class DaskWorkers:
    """Scores tasks in the workers of Dask, one at a time in each.

    Attributes:
        width: How many tasks it takes at the same time.
    """

    def __init__(self, config: ScoreConfig, *, most: int, meanwhile: Callable[[], None]) -> None:
        """Connect to the cluster, or start one on this machine.

        Args:
            config: The job's options.
            most: How many tasks there are.
            meanwhile: Called now and then while it waits.

        Raises:
            UsageError: The address is malformed.
            TryAgainError: The cluster does not answer, or has no worker.
        """
        self.width = max(1, min(config.jobs, most))
        self._config = config
        self._meanwhile, self._address = meanwhile, config.address
        self._cluster: Any = None
        self._width_here = 0
        self._client = self._connected(config)
        self._waiting: deque[FileTask] = deque()
        self._running: dict[Any, FileTask] = {}
        self._lost: Counter[Path] = Counter()
        self._news, self._away, self._lonely = threading.Event(), 0.0, 0.0
        self._looked = time.monotonic()
        # The workers that start here have room, whatever they take for it.
        self._patience = ROOM_SECONDS if self._cluster is None else START_SECONDS
        try:
            self._client.wait_for_workers(1, timeout=self._patience)
        except TimeoutError:
            self.close()
            told = f"the Dask cluster has had no worker for {self._patience:.0f} s"
            raise no_room(told) from None
        # As it is at the beginning: a worker that is asked for other threads loads the model anew.
        self._beside = dict(Counter(map(_host, self._client.nthreads())))

    def submit(self, task: FileTask) -> None:
        """Put a task at the end."""
        self._waiting.append(sendable_task(task, self._config))

    def as_completed(self) -> Iterator[Outcome]:
        """Yield what came of the tasks; Dask begins one again whose worker died."""
        while self._waiting or self._running:
            self._start()
            done = [future for future in self._running if future.done()]
            self._look_about()
            if not done:
                self._news.wait(LOOK_SECONDS)
                self._news.clear()
                self._meanwhile()
            for future in done:
                task = self._running.pop(future)
                outcome = self._outcome(future, task)
                future.release()
                if outcome is not None:
                    yield outcome

    def close(self) -> None:
        """Cancel what is not done. A thread that has begun publishes nothing any more."""
        from distributed.utils import TimeoutError as TooLate

        with suppress(OSError, TooLate, RuntimeError):
            if self._running:
                self._client.cancel(list(self._running), force=True)
        with suppress(OSError, TooLate, RuntimeError):
            self._client.close(timeout=1)
        if self._cluster is not None:
            with suppress(OSError, TooLate, RuntimeError):
                self._cluster.close(timeout=2)

    def _connected(self, config: ScoreConfig) -> Any:  # noqa: ANN401 - a Client
        from distributed import Client, LocalCluster

        if config.address is None:
            workers, threads = shares_of(config.jobs, config.threads, most=self.width)
            self._width_here = workers
            self._cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=threads,
                dashboard_address=None,
                host="127.0.0.1",
                silence_logs=50,
            )
            return Client(self._cluster, set_as_default=False)
        check_answers(config.address)
        try:
            return Client(config.address, timeout=ANSWER_SECONDS, set_as_default=False)
        except (OSError, ValueError, RuntimeError) as error:
            raise unreachable(config.address) from error

    def _start(self) -> None:
        # Not with `workers=` and `allow_other_workers`: a task whose worker dies when no other one
        # is there would wait for its address for ever, though others come.
        most = min(self.width, max(1, len(self._client.nthreads())))
        while self._waiting and len(self._running) < most:
            task = self._waiting.popleft()
            future = self._client.submit(
                score_on_dask, task, self._beside, pure=False, retries=TRIES - 1
            )
            future.add_done_callback(lambda _: self._news.set())
            self._running[future] = task

    def _look_about(self) -> None:
        """Check now and then that the scheduler is there and has workers."""
        passed = time.monotonic() - self._looked
        if passed < LOOK_SECONDS:
            return
        self._looked += passed
        there = self._client.status == "running"
        self._away = 0.0 if there else self._away + passed
        if self._away >= _AWAY_SECONDS or self._client.status == "closed":
            raise TryAgainError("the scheduler of Dask is gone", "start it, then run again")
        if self._cluster is not None:
            self._replace_dead()
        alone = there and not self._client.nthreads()
        self._lonely = self._lonely + passed if alone else 0.0
        if self._lonely >= self._patience:
            raise no_room(f"the Dask cluster has had no worker for {self._lonely:.0f} s")

    def _replace_dead(self) -> None:
        """Start workers for those that Dask gives up.

        It does so with one that takes more than 15 s to come again, and with one that dies while it
        starts.
        """
        there, named = list(self._cluster.workers.values()), len(self._cluster.worker_spec)
        dead = sum(one.status.name in ("closed", "failed") for one in there)
        wanted = max(self._width_here + dead, named)
        if wanted > min(named, len(there)):
            self._cluster.scale(wanted)

    def _outcome(self, future: Any, task: FileTask) -> Outcome | None:  # noqa: ANN401 - a Future
        """What came of a task; None if it is to be begun again."""
        from distributed.scheduler import KilledWorker

        if future.status == "finished":
            with suppress(OSError):
                found: Outcome = future.result(timeout=ANSWER_SECONDS)
                return found
        error = future.exception() if future.status == "error" else None
        if isinstance(error, KilledWorker):
            return Outcome(task=task, error=death(task), alone=True)
        if error is not None:
            return Outcome(task=task, error=broken(task, error))
        # The worker of an answer died before the answer was here. The part itself is there.
        self._lost[task.output] += 1
        if self._lost[task.output] <= _MOST_LOST:
            self._waiting.appendleft(task)
            return None
        return Outcome(
            task=task, error=TryAgainError(f"Dask loses {task.title} again and again", "run again")
        )


def score_on_dask(task: FileTask, beside: dict[str, int]) -> Outcome:
    """Score a task in a worker of Dask, with all threads of it.

    Args:
        task: The task.
        beside: How many workers each machine has.
    """
    import joblib
    from distributed import get_worker

    worker = get_worker()
    share = max(1, joblib.cpu_count() // beside.get(_host(worker.address), 1))
    return work(with_threads(task, min(worker.state.nthreads, share)))


def _host(worker: str) -> str:
    return worker.rpartition(":")[0]
