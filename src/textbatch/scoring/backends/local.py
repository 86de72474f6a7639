"""Workers that are processes on this machine."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, replace

from joblib.externals.loky import ProcessPoolExecutor

from textbatch.data.storage.location import Location
from textbatch.errors import OutOfMemoryError, TextbatchError
from textbatch.model.named_models import NamedModels
from textbatch.scoring.backends.port import LOOK_SECONDS, TRIES, Outcome, resumed
from textbatch.scoring.backends.process import begin_worker, environment_of
from textbatch.scoring.backends.worker import work
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask


@dataclass(frozen=True, slots=True)
class _Try:
    """A task, how many of its workers have died, and how many while nothing else ran."""

    task: FileTask
    deaths: int = 0
    alone: int = 0


class LocalProcesses:
    """Scores tasks in loky's processes, each with a model of its own.

    joblib's `Parallel` would end the whole job when a worker dies, without a word of whose it was.

    Attributes:
        width: How many processes there are.
    """

    def __init__(
        self,
        config: ScoreConfig,
        *,
        model: Location | NamedModels | None = None,
        workers: int,
        threads: int,
        do: Callable[[FileTask], Outcome] = work,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """No process is started yet.

        Args:
            config: The job's options.
            model: Where the job's model stands: of releases the version that the job began with.
                None for what the options name.
            workers: How many processes.
            threads: How many threads each has.
            do: What a process does with a task.
            meanwhile: Called now and then while it waits.
        """
        self._meanwhile = meanwhile
        self.width = workers
        # Without the options of the command line, which a worker has no use for.
        options = config.in_common(ScoreConfig) | {"threads": threads}
        options["model"] = model or config.model
        self._config, self._do = ScoreConfig(**options), do
        self._environment = environment_of(threads)
        self._pool: ProcessPoolExecutor | None = None
        self._waiting: deque[_Try] = deque()
        self._suspects: deque[_Try] = deque()
        self._running: dict[Future[Outcome], _Try] = {}

    def submit(self, task: FileTask) -> None:
        """Put a task at the end."""
        self._waiting.append(_Try(replace(task, config=self._config)))

    def as_completed(self) -> Iterator[Outcome]:
        """Yield what came of the tasks; one whose worker died is begun again."""
        while self._waiting or self._suspects or self._running:
            self._start()
            done, _ = wait(self._running, LOOK_SECONDS, return_when=FIRST_COMPLETED)
            self._meanwhile()
            if any(isinstance(one.exception(), BrokenExecutor) for one in done):
                # All of them end when one does.
                done, _ = wait(self._running)
                self.close()
            for future in done:
                outcome = self._outcome(future, self._running.pop(future))
                if outcome is not None:
                    yield outcome

    def close(self) -> None:
        """Kill the processes."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            pool.shutdown(wait=True, kill_workers=True)

    def _start(self) -> None:
        if self._suspects:
            if not self._running:
                self._run(self._suspects.popleft())
            return
        while self._waiting and len(self._running) < self.width:
            self._run(self._waiting.popleft())

    def _run(self, one: _Try) -> None:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.width,
                env=self._environment,
                initializer=begin_worker,
                initargs=(os.getpid(),),
            )
        try:
            future = self._pool.submit(self._do, one.task)
        except BrokenExecutor:  # a worker died while it had nothing to do
            if self._running:
                self._waiting.appendleft(one)
                return
            self.close()
            self._run(one)
            return
        self._running[future] = one

    def _outcome(self, future: Future[Outcome], one: _Try) -> Outcome | None:
        """What came of a task; None if it is to be begun again."""
        error = future.exception()
        if error is None:
            return future.result()
        if not isinstance(error, BrokenExecutor):
            raise error
        suspected = one.deaths >= TRIES - 1
        again = _Try(resumed(one.task), one.deaths + 1, one.alone + suspected)
        # All that ran beside a worker that died count as dead. So only two deaths alone tell.
        if again.alone > 1:
            return Outcome(task=one.task, error=_death(again, str(error)), alone=True)
        if again.deaths >= TRIES - 1:
            self._suspects.append(again)
        else:
            self._waiting.appendleft(again)
        return None


def _death(one: _Try, told: str) -> TextbatchError:
    codes = re.findall(r"[A-Z]+\(-?\d+\)", told)
    what = (
        f"the worker of {one.task.title} died {one.deaths} times, the last time with "
        f"{_listed(codes)}"
    )
    if any(code.startswith("SIGKILL") for code in codes):
        return OutOfMemoryError(
            f"{what}, as where memory is short",
            "take fewer --jobs, or --chunk-rows 1000; the others are not concerned",
        )
    return TextbatchError(what, "this is a bug in textbatch or in a library: please report it")


def _listed(codes: list[str]) -> str:
    return ", ".join(codes) or "no exit code"
