"""Timing: each engine in a process of its own, all of them in turns."""

from __future__ import annotations

import gc
import multiprocessing
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from benchmarks.engine import Answers, Engine, Job


@dataclass(slots=True, kw_only=True)
class Row:
    """What was measured of one engine on one data set.

    Attributes:
        dataset: The data set.
        engine: The engine's key.
        title: Its name in the table.
        covers: What a run goes through.
        rows: Rows per run.
        seconds: Wall time of each run.
        cpu_seconds: CPU time of each run, all threads together.
        peak_mib: Largest memory of the engine's process, loading included.
        note: How its answers compare with textbatch's, or why it was not timed.
    """

    dataset: str
    engine: str
    title: str
    covers: str
    rows: int
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_mib: float = 0.0
    note: str = ""

    def rate(self) -> float:
        """Rows per second in the median run; 0 without runs."""
        return self.rows / median(self.seconds) if self.seconds else 0.0


class Worker:
    """A process with one prepared engine; it waits without work between its turns."""

    def __init__(self, engine: Engine, job: Job) -> None:
        """Start, prepare, and run once to warm up.

        Raises:
            RuntimeError: The engine cannot do the job; the message says why.
        """
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, engine, job), daemon=True)
        self._process.start()
        theirs.close()
        try:
            self.answers: Answers | None = self._receive()
        except RuntimeError:
            self.close()
            raise

    def run(self) -> tuple[float, float, float]:
        """One run: seconds, CPU seconds, and peak memory so far in MiB."""
        self._connection.send("run")
        return self._receive()

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join()

    def _receive(self):
        try:
            received = self._connection.recv()
        except EOFError:
            raise RuntimeError("its process died") from None
        if isinstance(received, str):
            raise RuntimeError(received)
        return received


def measure(
    dataset: str,
    job: Job,
    rows: int,
    engines: Sequence[Engine],
    rounds: int,
    answers: dict[str, Answers] | None = None,
) -> list[Row]:
    """Check the engines' answers against those of the first, then time them in turns.

    Args:
        dataset: The data set's name.
        job: What the engines do.
        rows: How many rows that is.
        engines: The first one's answers are the reference.
        rounds: How often each runs.
        answers: Gets the answers, by the keys of the engines.

    Raises:
        RuntimeError: The first engine cannot do the job.
    """
    table = [
        Row(dataset=dataset, engine=engine.key, title=engine.title, covers=engine.covers, rows=rows)
        for engine in engines
    ]
    workers: list[tuple[Worker, Row]] = []
    reference: Answers | None = None
    for engine, row in zip(engines, table, strict=True):
        log(f"{dataset}: preparing {engine.key}")
        if engine.module and find_spec(engine.module) is None:
            row.note = f"not installed (pip install {engine.package})"
            continue
        try:
            worker = Worker(engine, job)
        except RuntimeError as error:
            if engine is engines[0]:
                raise
            row.note = f"failed: {error}"
            continue
        if engine is engines[0]:
            reference = worker.answers
        if answers is not None and worker.answers is not None:
            answers[engine.key] = worker.answers
        right, row.note = judge(worker.answers, reference, engine.tolerance, engine.agreement)
        if right:
            workers.append((worker, row))
        else:
            worker.close()
    for index in range(rounds):
        # Another one begins each round, so that none always follows the same neighbour.
        first = index % len(workers)
        _take_turns(workers[first:] + workers[:first])
        log(f"{dataset}: round {index + 1} of {rounds} done")
    for worker, _ in workers:
        worker.close()
    return table


def _take_turns(workers: Sequence[tuple[Worker, Row]]) -> None:
    for worker, row in workers:
        seconds, cpu_seconds, row.peak_mib = worker.run()
        row.seconds.append(seconds)
        row.cpu_seconds.append(cpu_seconds)


def judge(
    answers: Answers | None, reference: Answers | None, tolerance: float, agreement: float = 1.0
) -> tuple[bool, str]:
    """Whether an engine may be timed, and what to say about its answers."""
    if answers is None or reference is None:
        return True, ""
    if answers is reference:
        return True, "the reference"
    if tolerance == float("inf"):
        return True, "another model"
    flips, gap = answers.compare(reference)
    found = f"{flips} other labels, max Δp {gap:.1g}"
    # Not "gap >", which NaN would pass.
    same = 1 - flips / max(1, len(reference.label_ids))
    if same < agreement or not gap <= tolerance:
        return False, f"wrong answers: {found}"
    return True, f"{'same labels' if not flips else f'{same:.2%} same'}, max Δp {gap:.1g}"


def log(line: str) -> None:
    """Tell a person who waits."""
    print(line, file=sys.stderr, flush=True)


def _serve(connection: Connection, engine: Engine, job: Job) -> None:
    """The worker process: prepare, answer, then run once per message."""
    try:
        engine.prepare(job)
        engine.run()
        connection.send(engine.answers())
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}".splitlines()[0][:120])
        return
    while True:
        try:
            connection.recv()
        except EOFError:
            return
        gc.collect()
        started, cpu_started = time.perf_counter(), time.process_time()
        engine.run()
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_started
        connection.send((seconds, cpu, peak_mib()))


def peak_mib(process: int | str = "self") -> float:
    """Largest resident memory of a process so far.

    Not `ru_maxrss`, which Linux hands on from the parent through fork and exec.
    """
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
