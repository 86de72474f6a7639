"""What a worker process of the tests does instead of scoring; workers import it by its name."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from textbatch.errors import BundleError, TextbatchError
from textbatch.scoring.backends.chunk_worker import serve
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


class _Dying:
    """A connection whose process dies at the first texts, until it has died once."""

    def __init__(self, connection: Connection, notes: Path) -> None:
        self._connection, self._notes = connection, notes

    def recv_bytes(self) -> bytes:
        data = self._connection.recv_bytes()
        if not (self._notes.is_file() and self._notes.read_text()):
            with self._notes.open("a") as file:
                file.write(f"{os.getpid()}\n")
            os.kill(os.getpid(), signal.SIGKILL)
        return data

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


def serve_and_die(connection: Connection, driver: int) -> None:
    """Serve as workers do; die as long as the noted file is empty."""
    serve(_Dying(connection, Path(os.environ["TEXTBATCH_TEST_DEATHS"])), driver)


def failing() -> None:
    """Open no model."""
    raise BundleError("the golden rows are off", "train it again")


def serve_its_signals(connection: Connection, _driver: int) -> None:
    """Answer with an error that says whether Ctrl-C was blocked when this process began."""
    connection.recv()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    connection.send(TextbatchError(f"blocked: {signal.SIGINT in blocked}"))
