"""Folds that are fitted side by side, in processes of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache, partial
from multiprocessing import resource_tracker
from typing import Protocol, TypeVar

import joblib
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.backend.resource_tracker import ensure_running

from textbatch.errors import OutOfMemoryError
from textbatch.report.listener import SILENT
from textbatch.scoring.backends.process import begin_worker, environment_of
from textbatch.training.fold_progress import StepFile, steps_told
from textbatch.training.run import TrainingRun


class _Numbered(Protocol):
    @property
    def number(self) -> int:
        """Number of the fold, from 0."""


Fold = TypeVar("Fold", bound=_Numbered)
Answers = TypeVar("Answers")


def in_processes(
    run: TrainingRun,
    answer: Callable[[TrainingRun, Fold, int, StepFile], Answers],
    folds: Sequence[Fold],
    *,
    threads: int | None = None,
) -> Iterator[Answers]:
    """Yield what a function answers for each fold, in the order in which they are ready.

    Args:
        run: Tells how to fit, and how many folds are fitted at a time.
        answer: Called in a process with the run, the fold, the number of threads, and what it
            tells its steps.
        folds: The folds.
        threads: CPU threads of each process; None shares out the cores.

    Raises:
        OutOfMemoryError: A process was killed.
    """
    cores = joblib.cpu_count()
    jobs = min(run.config.jobs or cores, len(folds))
    threads = threads or max(1, cores // jobs)
    # Processes even for one job: TensorFlow may have begun here, with another number of threads.
    # Not joblib's own executor, which the caller of a function may be using.
    executor = ProcessPoolExecutor(jobs, env=environment_of(threads))
    # A listener of this process cannot be sent to another one.
    silent, driver = run.heard_by(SILENT), os.getpid()
    try:
        with steps_told(run.listener) as folder:
            with _deaf_processes():
                begun = [
                    executor.submit(
                        _answer,
                        driver,
                        partial(answer, silent, fold, threads, StepFile(folder / str(fold.number))),
                    )
                    for fold in folds
                ]
            for done in as_completed(begun):
                yield done.result()
    except BrokenProcessPool as error:
        raise OutOfMemoryError(
            "the process of a fold was killed, as where memory is short",
            "take fewer --jobs: the same command goes on where this one ended",
        ) from error
    finally:
        # Idle workers would keep TensorFlow in memory while the final model is trained.
        executor.shutdown(wait=True, kill_workers=True)


@contextmanager
def _deaf_processes() -> Iterator[None]:
    """Let no process that starts here get Ctrl-C: this process decides what becomes of them."""
    # These start the processes that Python and loky clean up with, and allow Ctrl-C again in this
    # thread, so they come first.
    resource_tracker.ensure_running()
    ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _answer(driver: int, answer: Callable[[], Answers]) -> Answers:
    _begin(driver)
    return answer()


@cache
def _begin(driver: int) -> None:
    """Once in a process: it ends with its driver, or it would go on writing checkpoints."""
    begin_worker(driver)
