"""What a worker process does: load the model once, then score one task after the other."""

from __future__ import annotations

import os
import threading

from textbatch.errors import TextbatchError
from textbatch.scoring.backends.port import Outcome
from textbatch.scoring.backends.process import as_value
from textbatch.scoring.backends.told import Tells
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask
from textbatch.scoring.model_handle import ModelHandle
from textbatch.scoring.score_file import score_file

_ONE_AT_A_TIME = threading.Lock()
#: The model of this process, with the options it was opened with.
_models: list[tuple[ScoreConfig, ModelHandle]] = []


def work(task: FileTask) -> Outcome:
    """Score a task with the model of this process.

    Args:
        task: What to score.

    Returns:
        Its result, or its error in a form that can be sent to the driver.
    """
    tells = Tells(task.told) if task.told else None
    # The threads of a worker of Dask are one process: its model has all of them for one task.
    with _ONE_AT_A_TIME:
        try:
            return Outcome(task=task, result=score_file(task, model_of(task.config), tells))
        except Exception as error:
            return Outcome(task=task, error=sendable(error, task))


def model_of(config: ScoreConfig) -> ModelHandle:
    """The model of this process, loaded at the first task.

    Args:
        config: Names the model, and says how to run it.
    """
    if not _models or _models[0][0] != config:
        for _, other in _models:
            other.close()
        _models[:] = [(config, ModelHandle(config))]
    return _models[0][1]


def sendable(error: Exception, task: FileTask) -> TextbatchError:
    """An error as a value: without its traceback, and of a class that is easy to make.

    Args:
        error: What ended the task.
        task: The task.
    """
    return as_value(error, task.title, where=_elsewhere(task))


def _elsewhere(task: FileTask) -> str:
    """Where this worker is, if that is another machine: there a path may lead elsewhere."""
    here = os.uname().nodename
    driver = here if task.holder is None else task.holder.machine.split()[0]
    return "" if driver == here else f" (on {here})"
