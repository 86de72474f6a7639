"""Worker processes that share the chunks of one file; this process reads and writes.

A chunk goes to a worker as the bytes of its texts, and comes back as predictions, so the file is
read once and written in one place, whatever its format. Workers get the loaded model, so all have
the same one even if its directory changes meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from textbatch.data.output.answer_counts import WorkCounts
from textbatch.model.predictors import Predictors, open_bundles
from textbatch.scoring.backends.chunk_queue import Chunk, ChunkQueue
from textbatch.scoring.backends.chunk_worker import Answer, EngineUsed, serve
from textbatch.scoring.backends.cores import shares_of
from textbatch.scoring.backends.worker_process import Serve, WorkerProcess
from textbatch.scoring.bundles import Bundles
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.model_handle import ModelHandle
from textbatch.types import BoolArray, Predictions


def model_of_run(config: ScoreConfig) -> ModelHandle:
    """The models of a run: with worker processes for its chunks, if several are asked for.

    Args:
        config: The job's options.
    """
    workers, threads = shares_of(config.jobs, config.threads, most=config.jobs)
    if workers == 1:
        return ModelHandle(config)

    def spread(bundles: Bundles) -> ChunkProcesses:
        opening = config.opening()
        opening["threads"] = threads
        opened = partial(
            open_bundles,
            bundles.names,
            bundles.each,
            batch_tokens=config.batch_tokens,
            beside=config.beside,
            **opening,
        )
        labels = [len(one.labels) for one in bundles.each]
        extras = config.beside.width
        return ChunkProcesses(opened, *labels, workers=workers, threads=threads, extras=extras)

    return ModelHandle(config, spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChunk:
    """A chunk that workers predict.

    Attributes:
        chunk: The chunk.
        count: Called with the answer to each piece of it, when all of it is predicted.
    """

    chunk: Chunk
    count: Callable[[Answer], None]

    def result(self) -> Predictions:
        """Wait for the predictions.

        Raises:
            TextbatchError: What ended a worker. All later chunks raise it too.
        """
        predictions = self.chunk.future.result()
        for answer in self.chunk.answers:
            if answer is not None:
                self.count(answer)
        return predictions


class ChunkProcesses:
    """Predicts chunks in several processes; used as `Predictors` are.

    Attributes:
        in_flight: How many chunks keep all workers busy.
        work: As that of `Predictors`.
        cached_rows: None: a cache stands in front of them.
    """

    cached_rows = 0

    def __init__(
        self,
        opened: Callable[[], Predictors],
        *num_labels: int,
        workers: int,
        threads: int,
        extras: int = 0,
        serve: Serve = serve,
    ) -> None:
        """No process is started before there is work for it.

        Args:
            opened: Opens the predictors of a worker; it is sent there.
            *num_labels: Width of the probabilities of each model.
            workers: How many processes.
            threads: How many threads each has.
            extras: How many numbers each model tells of a row beside its probabilities.
            serve: What a process does.
        """
        self.in_flight = 2 * workers + 1
        self.work = [WorkCounts() for _ in num_labels]
        self._num_labels, self._extras = num_labels, extras
        self._queue = ChunkQueue(workers)
        self._workers = [
            WorkerProcess(number, self._queue, opened, threads=threads, serve=serve)
            for number in range(workers)
        ]

    @property
    def engine(self) -> EngineUsed:
        """What runs the network; waits until a worker tells.

        Raises:
            TextbatchError: The model cannot be opened.
        """
        self._queue.want_a_worker()
        return self._queue.engine.result()

    @property
    def known_engine(self) -> EngineUsed | None:
        """The same if it is known; None before."""
        engine = self._queue.engine
        return engine.result() if engine.done() and engine.exception() is None else None

    def start(self, texts: pa.Array, undecodable: BoolArray | None = None) -> PendingChunk:
        """Begin to score a chunk.

        Args:
            texts: Valid strings or null. Shape `(rows,)`.
            undecodable: True where a null means that the text is not UTF-8. Shape `(rows,)`.
        """
        if undecodable is None:
            undecodable = np.zeros(len(texts), np.bool_)
        chunk = Chunk(texts=texts, undecodable=undecodable)
        if len(texts):
            self._queue.put(chunk)
        else:
            nothing = [
                Predictions(
                    probabilities=np.empty((0, width), np.float32),
                    status=np.empty(0, np.int8),
                    extras=np.empty((0, self._extras), np.float32) if self._extras else None,
                )
                for width in self._num_labels
            ]
            chunk.future.set_result(Predictions.together(nothing))
        return PendingChunk(chunk=chunk, count=self._count)

    def close(self) -> None:
        """Kill the workers. They hold nothing that is not computed anew."""
        self._queue.close()
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.join()

    def _count(self, answer: Answer) -> None:
        self.work = [before + more for before, more in zip(self.work, answer.work, strict=True)]
