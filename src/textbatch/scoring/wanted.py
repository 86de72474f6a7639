"""Whether a task is still wanted by the run that gave it, and whose turn it is to do it."""

from __future__ import annotations

import time
from threading import Event

from textbatch.data.output.work_directory import WorkDirectory, holder_of
from textbatch.errors import BundleError, TryAgainError
from textbatch.scoring.file_task import FileTask

#: How long a worker waits for an output that a run which has ended still holds.
_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.2


def take_output(task: FileTask) -> WorkDirectory:
    """Take the lock of a task's output. A worker waits for another attempt at the same task.

    Args:
        task: The task.

    Raises:
        TryAgainError: Another run holds it, or the one that gave the task has ended.
        ConflictError: The worker does not see the disk of the job.
    """
    if task.holder is None:
        return WorkDirectory(task.output, task.run_id)
    task.holder.check_seen()
    waiting, until = Event(), time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return WorkDirectory(task.output, task.run_id)
        except TryAgainError:
            # What is left of a run that has ended gives it back at its next chunk.
            if holder_of(task.output) != task.run_id and time.monotonic() > until:
                raise
        waiting.wait(_LOOK_SECONDS)
        task.holder.check()


def check_wanted(task: FileTask) -> None:
    """Publish nothing for a run that has ended.

    Args:
        task: The task.

    Raises:
        TryAgainError: It has ended, or another one has taken over.
    """
    if task.holder is not None:
        task.holder.check()


def check_model(task: FileTask, fingerprint: str) -> None:
    """Check that the model is the one that the job began with.

    Args:
        task: The task.
        fingerprint: Of the model that was loaded.

    Raises:
        BundleError: It is another one.
    """
    if task.fingerprint not in (None, fingerprint):
        raise BundleError(
            f"{task.config.model} is not the model that the job began with",
            "put the same model on all machines, and do not replace it while a job runs",
        )
