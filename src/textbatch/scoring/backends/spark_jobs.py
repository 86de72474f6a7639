"""Jobs of Spark, one for each task, several at the same time.

One job over all tasks would end with the first poisonous one, and would tell nothing before. Jobs
of one task each come back as they end and fail alone. Spark may begin a task twice (speculation):
the second attempt waits for the first, and either answer is the same.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

from textbatch.errors import ConflictError, TryAgainError
from textbatch.scoring.backends.cluster import (
    broken,
    check_answers,
    death,
    sendable_task,
    signals_kept,
    unreachable,
    with_threads,
)
from textbatch.scoring.backends.cores import shares_of
from textbatch.scoring.backends.port import LOOK_SECONDS, TRIES, Outcome
from textbatch.scoring.backends.worker import work
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask

#: Words of Spark for a worker that died, rather than one that told an error.
_DEATHS = ("ExecutorLostFailure", "exited unexpectedly", "Connection reset", "EOFException")


class SparkJobs:
    """Scores tasks in the Python workers of Spark.

    Attributes:
        width: How many tasks it takes at the same time.
    """

    def __init__(self, config: ScoreConfig, *, most: int, meanwhile: Callable[[], None]) -> None:
        """Connect to the cluster, or start Spark on this machine.

        Args:
            config: The job's options.
            most: How many tasks there are.
            meanwhile: Called now and then while it waits.

        Raises:
            UsageError: The address is malformed.
            ConflictError: It is of Spark Connect, or Spark cannot start here.
            TryAgainError: The cluster does not answer.
        """
        self.width = max(1, min(config.jobs, most))
        self._config = config
        self._meanwhile, self._tag = meanwhile, f"textbatch-{uuid.uuid4().hex[:16]}"
        with signals_kept():
            self._context, self._owned = self._connected(config)
        self._pool = ThreadPoolExecutor(self.width, thread_name_prefix="textbatch-spark")
        self._waiting: deque[FileTask] = deque()
        self._running: dict[Future[Outcome], FileTask] = {}

    def submit(self, task: FileTask) -> None:
        """Put a task at the end."""
        self._waiting.append(sendable_task(task, self._config))

    def as_completed(self) -> Iterator[Outcome]:
        """Yield what came of the tasks; Spark begins one again whose worker died."""
        while self._waiting or self._running:
            while self._waiting and len(self._running) < self.width:
                task = self._waiting.popleft()
                self._running[self._pool.submit(self._scored, task)] = task
            done, _ = wait(self._running, LOOK_SECONDS, return_when=FIRST_COMPLETED)
            self._meanwhile()
            for future in done:
                task = self._running.pop(future)
                yield self._outcome(future, task)

    def close(self) -> None:
        """Cancel the jobs, and stop Spark where it was started here."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with suppress(Exception):  # Spark may be gone
            if self._running:
                self._context.cancelJobsWithTag(self._tag)
        if self._owned:
            with suppress(Exception):
                self._context.stop()
        self._pool.shutdown(wait=True)

    def _connected(self, config: ScoreConfig) -> tuple[Any, bool]:
        from pyspark import SparkConf, SparkContext

        if (there := SparkContext._active_spark_context) is not None:
            return there, False
        address = config.address
        if address and address.startswith("sc://"):
            raise ConflictError(
                "Spark Connect has no jobs of RDDs, which --backend spark needs",
                "give the address of the master, as spark://host:7077",
            )
        if address and address.startswith("spark://"):
            # Several masters may be named, of which one leads.
            for one in address.removeprefix("spark://").split(","):
                check_answers(f"spark://{one}")
        if address is None or address.startswith("local"):
            # Else Spark takes whichever `python3` comes first.
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        try:
            conf = SparkConf().setIfMissing("spark.app.name", "textbatch score")
            # Its bar would be drawn over that of the job.
            conf.setIfMissing("spark.ui.showConsoleProgress", "false")
            if address:
                conf.setMaster(address)
            elif conf.get("spark.master", "local[*]") == "local[*]":
                workers, threads = shares_of(config.jobs, config.threads, most=self.width)
                conf.setMaster(f"local[{workers * threads},{TRIES}]")
                conf.set("spark.task.cpus", str(threads))
                conf.setIfMissing("spark.ui.enabled", "false")
            return SparkContext(conf=conf), True
        except Exception as error:
            if address and "://" in address:
                raise unreachable(address) from error
            raise ConflictError(
                f"Spark cannot start here ({type(error).__name__})",
                "check --address, and that there is a Java that it takes",
            ) from error

    def _scored(self, task: FileTask) -> Outcome:
        """Run a job of one task. Called in a thread, which has its own settings of Spark."""
        self._context.setInterruptOnCancel(True)
        self._context.addJobTag(self._tag)
        self._context.setJobDescription(f"textbatch score {task.title}")
        [outcome] = self._context.parallelize([task], 1).map(score_on_spark).collect()
        return outcome  # type: ignore[no-any-return]

    def _outcome(self, future: Future[Outcome], task: FileTask) -> Outcome:
        error = future.exception()
        if error is None:
            return future.result()
        told = str(error)
        if any(word in told for word in _DEATHS):
            return Outcome(task=task, error=death(task), alone=True)
        if self._context._jsc is None or "SparkContext was shut down" in told:
            return Outcome(task=task, error=TryAgainError("Spark is gone", "run again"))
        return Outcome(task=task, error=broken(task, error))


def score_on_spark(task: FileTask) -> Outcome:
    """Score a task in a Python worker of Spark, with as many threads as Spark gives to it.

    Args:
        task: The task.
    """
    import joblib
    from pyspark import TaskContext

    context = TaskContext.get()
    cpus = context.cpus() if context is not None else 1
    return work(with_threads(task, min(cpus, joblib.cpu_count())))
