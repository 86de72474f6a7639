"""What a job asks of a backend: take a task, and tell when one is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from textbatch.scoring.file_task import FileResult, FileTask

#: How often a task is begun whose worker dies. On this machine nothing else runs the last time, so
#: that no task is blamed for the death of another one's worker: with one process, all of them end.
TRIES = 3
#: How often a backend that waits looks about.
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a task.

    Attributes:
        task: The task as it was submitted.
        result: Its result; None after an error.
        error: What ended it; None if it is done.
        alone: Whether the error is the task's own fault, so that others may succeed.
    """

    task: FileTask
    result: FileResult | None = None
    error: Exception | None = None
    alone: bool = False


class Backend(Protocol):
    """Scores tasks. The caller keeps as many of them submitted as it has workers."""

    @property
    def width(self) -> int:
        """How many tasks it takes at the same time. It may grow."""
        ...

    def submit(self, task: FileTask) -> None:
        """Take a task. It begins when a worker is free.

        Args:
            task: No other one that is not done yet may have its output.
        """
        ...

    def as_completed(self) -> Iterator[Outcome]:
        """Yield what came of each task, in any order, until none is left.

        The caller may submit more of them between two outcomes.
        """
        ...

    def close(self) -> None:
        """End the workers at once. What they have written stays sound, as after a kill."""
        ...


def resumed(task: FileTask) -> FileTask:
    """The task for another worker. The last one may have died between the part and its answer."""
    return replace(task, if_exists="skip") if task.if_exists == "fail" else task
