"""A thread that gives pieces of chunks to a worker process, and starts another one when it dies."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from joblib.externals.loky.backend import get_context
from joblib.externals.loky.backend.resource_tracker import ensure_running

from textbatch.model.predictors import Predictors
from textbatch.scoring.backends.chunk_queue import ChunkQueue, Piece, death
from textbatch.scoring.backends.chunk_worker import DEPTH, EngineUsed, packed, serve
from textbatch.scoring.backends.large_values import send_large
from textbatch.scoring.backends.port import TRIES
from textbatch.scoring.backends.process import environment_of

Serve = Callable[[Connection, int], None]
#: How long a process may take to end after it has closed its connection.
_END_SECONDS = 5.0
#: One start at a time: a process that had the connection of another one too would hide its death.
_STARTING = threading.Lock()


class WorkerProcess:
    """One worker. Its thread waits for the process, so that no other thread has to look at it."""

    def __init__(
        self,
        number: int,
        queue: ChunkQueue,
        opened: Callable[[], Predictors],
        *,
        threads: int,
        serve: Serve = serve,
    ) -> None:
        """The process starts when there is work for it.

        Args:
            number: From 0.
            queue: Where the pieces come from.
            opened: Opens the predictors of the process.
            threads: How many threads the process has.
            serve: What the process does.
        """
        self._number, self._queue, self._opened, self._serve = number, queue, opened, serve
        self._environment = environment_of(threads)
        # With one thread there is nothing to compute beside it while it tokenizes.
        self._depth = DEPTH if threads > 1 else 1
        self._lock = threading.Lock()
        self._killed = False
        self._died_early = 0
        self._process: BaseProcess | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"textbatch-worker-{number}", daemon=True
        )
        self._thread.start()

    def kill(self) -> None:
        """End the process, and with it the thread."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                _kill(self._process)

    def join(self) -> None:
        """Wait until both have ended."""
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._queue.is_needed(self._number) and (connection := self._start()):
                held: deque[Piece] = deque()
                with closing(connection):
                    try:
                        self._work(connection, held)
                    except (EOFError, ConnectionError):
                        self._bury(held)
                self._end()
        except BaseException as error:
            self._queue.fail(error)
            self._end()

    def _start(self) -> Connection | None:
        """Start a process; None after `kill`."""
        with self._lock, _STARTING:
            if self._killed:
                return None
            # No worker may get Ctrl-C, not even before it can refuse it. These start the processes
            # that Python and loky clean up with, and allow it in this thread when they have.
            resource_tracker.ensure_running()
            ensure_running()
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            context = get_context("loky")
            ours, theirs = context.Pipe()
            with closing(theirs):
                # A daemon, or the end of this program would wait for it.
                self._process = context.Process(
                    target=self._serve,
                    args=(theirs, os.getpid()),
                    daemon=True,
                    env=self._environment,
                )
                self._process.start()
            return ours  # type: ignore[no-any-return]

    def _work(self, connection: Connection, held: deque[Piece]) -> None:
        """Let the process answer pieces until there is none.

        Args:
            connection: To the process.
            held: Gets the pieces that are not answered if the process dies.

        Raises:
            EOFError: It died. So does `ConnectionError`.
        """
        send_large(connection, self._opened)
        while True:
            answer = connection.recv()
            if isinstance(answer, Exception):
                self._queue.fail(answer)
                return
            if isinstance(answer, EngineUsed):
                self._died_early = 0
                self._queue.tell(answer)
            else:
                self._queue.answer(held.popleft(), answer)
            while len(held) < self._depth and (piece := self._queue.take(wait=not held)):
                if not held and self._has_died():
                    self._queue.give_back(piece)
                    return
                held.append(piece)
                connection.send_bytes(packed(piece.texts, piece.undecodable))
            if not held:
                return

    def _has_died(self) -> bool:
        return self._process is not None and not self._process.is_alive()

    def _bury(self, held: deque[Piece]) -> None:
        """Tell the queue what a dead process has not answered."""
        how = self._end()
        for piece in held:
            self._queue.died(piece, how)
        if not held and not self._killed:
            self._died_early += 1
            if self._died_early >= TRIES:
                self._queue.fail(death("before they could begin", how))

    def _end(self) -> str:
        """Wait for the end of the process, and say how it ended."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return ""
        process.join(_END_SECONDS)
        if process.is_alive():
            _kill(process)
            process.join()
        code = process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _kill(process: BaseProcess) -> None:
    # Processes of loky have no method for it.
    if process.pid:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
