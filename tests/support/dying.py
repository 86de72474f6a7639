"""What a worker process of the tests does instead of scoring; workers import it by its name."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from textbatch.scoring.backends.port import Outcome
from textbatch.scoring.file_task import FileResult, FileTask


def die_by_name(task: FileTask) -> Outcome:
    """Note the attempt beside the input; die at each attempt, at the first one, or not at all."""
    path = Path(str(task.input))
    with path.open("a") as file:
        file.write(f"{task.if_exists} {os.environ['OMP_NUM_THREADS']}\n")
    attempts = len(path.read_text().splitlines())
    if path.name == "poison" or (path.name == "once" and attempts == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(task=task, result=FileResult(state="done"))
