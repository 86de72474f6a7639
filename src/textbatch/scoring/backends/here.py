"""One worker, which is this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from textbatch.report.terminal.progress import Progress
from textbatch.scoring.backends.port import Outcome
from textbatch.scoring.file_task import FileTask
from textbatch.scoring.model_handle import ModelHandle
from textbatch.scoring.score_file import score_file


class Here:
    """Scores tasks one after the other, in the order in which they come.

    Attributes:
        width: Always 1.
    """

    width = 1

    def __init__(self, model: ModelHandle, progress: Progress) -> None:
        """Nothing is to be done yet.

        Args:
            model: Its owner closes it.
            progress: Called after every chunk.
        """
        self._model, self._progress = model, progress
        self._waiting: deque[FileTask] = deque()

    def submit(self, task: FileTask) -> None:
        """Put a task at the end."""
        self._waiting.append(task)

    def as_completed(self) -> Iterator[Outcome]:
        """Score what waits."""
        while self._waiting:
            task = self._waiting.popleft()
            try:
                yield Outcome(task=task, result=score_file(task, self._model, self._progress))
            except Exception as error:
                yield Outcome(task=task, error=error)

    def close(self) -> None:
        """Nothing: there is no other process."""
