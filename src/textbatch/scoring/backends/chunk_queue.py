"""Chunks that wait for a worker: who gets which rows, and what is begun again after a death."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

import pyarrow as pa

from textbatch.errors import OutOfMemoryError, TextbatchError
from textbatch.scoring.backends.chunk_worker import Answer, EngineUsed
from textbatch.scoring.backends.port import TRIES
from textbatch.types import BoolArray, Predictions

#: No chunk is split into pieces of fewer rows: short mini-batches cost more a row.
LEAST_ROWS = 2048


@dataclass(slots=True, kw_only=True, eq=False)
class Chunk:
    """A chunk whose predictions are wanted.

    Attributes:
        texts: Shape `(rows,)`.
        undecodable: Shape `(rows,)`.
        future: Its predictions.
        given: Rows that a worker has or had.
        answers: Of its pieces, in order; None for one that is not answered.
    """

    texts: pa.Array
    undecodable: BoolArray
    future: Future[Predictions] = field(default_factory=Future)
    given: int = 0
    answers: list[Answer | None] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Rows that no worker has had yet."""
        return len(self.texts) - self.given


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Rows of a chunk that one worker predicts.

    Attributes:
        chunk: The chunk.
        number: Of the piece among those of its chunk.
        rows: Its rows.
        deaths: How many workers have died with it.
    """

    chunk: Chunk
    number: int
    rows: slice
    deaths: int = 0

    @property
    def texts(self) -> pa.Array:
        """Shape `(rows,)`."""
        return self.chunk.texts[self.rows]

    @property
    def undecodable(self) -> BoolArray:
        """Shape `(rows,)`."""
        return self.chunk.undecodable[self.rows]


class ChunkQueue:
    """Hands out pieces of chunks to the threads that each serve a worker.

    A piece is a whole chunk while there are enough of them. Of the last ones, each worker gets its
    share, so that all end at about the same time. This changes no answer.

    Attributes:
        engine: What runs the network, when the first worker tells.
    """

    def __init__(self, workers: int) -> None:
        """Nothing waits yet.

        Args:
            workers: How many threads take pieces.
        """
        self.engine: Future[EngineUsed] = Future()
        self._workers = workers
        self._changed = threading.Condition()
        self._unanswered: list[Chunk] = []
        self._waiting: deque[Chunk] = deque()
        self._again: deque[Piece] = deque()
        # Pieces that get their last try, one at a time and with nothing beside it.
        self._suspects: deque[Piece] = deque()
        self._alone = False
        self._running = 0
        self._wanted = 0
        self._error: BaseException | None = None
        self._closed = False

    def put(self, chunk: Chunk) -> None:
        """Add a chunk at the end.

        Args:
            chunk: It has a row. Its future gets the predictions, or the error that ended the work.
        """
        with self._changed:
            if self._error is not None:
                chunk.future.set_exception(self._error)
                return
            self._unanswered.append(chunk)
            self._waiting.append(chunk)
            self._wanted = max(self._wanted, len(self._waiting))
            self._changed.notify_all()

    def want_a_worker(self) -> None:
        """Let the first worker start, though nothing waits for it."""
        with self._changed:
            self._wanted = max(self._wanted, 1)
            self._changed.notify_all()

    def is_needed(self, number: int) -> bool:
        """Wait until there is work for so many workers.

        Args:
            number: Of the worker, from 0. Small inputs must not start all workers.

        Returns:
            False if it was closed before.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._wanted > number)
            return not self._over

    def take(self, *, wait: bool) -> Piece | None:
        """Take the next piece.

        Args:
            wait: Whether to wait until there is one.

        Returns:
            None if there is none, or if it was closed.
        """
        with self._changed:
            piece = None
            while not self._over and (piece := self._next()) is None and wait:
                self._changed.wait()
            if piece is not None:
                self._running += 1
            return piece

    def tell(self, engine: EngineUsed) -> None:
        """Take what a worker tells when its model is open; the first one's word is kept."""
        with self._changed:
            if not self.engine.done():
                self.engine.set_result(engine)

    def give_back(self, piece: Piece) -> None:
        """Let another worker have a piece that its worker could not begin."""
        with self._changed:
            self._end()
            self._again.appendleft(piece)

    def answer(self, piece: Piece, answer: Answer) -> None:
        """Take a piece's predictions.

        Args:
            piece: The piece.
            answer: Its predictions.
        """
        chunk = piece.chunk
        with self._changed:
            self._end()
            chunk.answers[piece.number] = answer
            done = [one for one in chunk.answers if one is not None]
            if chunk.left or len(done) < len(chunk.answers) or self._over:
                return
            self._unanswered.remove(chunk)
        chunk.future.set_result(Predictions.concatenate([one.predictions for one in done]))

    def died(self, piece: Piece, how: str) -> None:
        """Let a piece be begun again whose worker has died; end all work at the last time.

        Args:
            piece: The piece.
            how: The signal or exit code.
        """
        with self._changed:
            self._end()
            deaths = piece.deaths + 1
            again = Piece(chunk=piece.chunk, number=piece.number, rows=piece.rows, deaths=deaths)
            if deaths < TRIES - 1:
                self._again.append(again)
            elif deaths < TRIES:
                self._suspects.append(again)
        if deaths >= TRIES:
            rows = piece.rows.stop - piece.rows.start
            self.fail(death(f"with the same {rows:,} rows", how))

    def fail(self, error: BaseException) -> None:
        """End all work with an error, which all chunks get.

        Args:
            error: What went wrong.
        """
        with self._changed:
            if self._over:
                return
            self._error = error
            if not self.engine.done():
                self.engine.set_exception(error)
            for chunk in self._unanswered:
                chunk.future.set_exception(error)
            self._stop()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._stop()

    @property
    def _over(self) -> bool:
        return self._closed or self._error is not None

    def _stop(self) -> None:
        self._waiting.clear()
        self._again.clear()
        self._suspects.clear()
        self._changed.notify_all()

    def _end(self) -> None:
        self._running -= 1
        self._alone = False
        self._changed.notify_all()

    def _next(self) -> Piece | None:
        if self._alone:
            return None
        if self._suspects:
            if self._running:
                return None
            self._alone = True
            return self._suspects.popleft()
        if self._again:
            return self._again.popleft()
        return self._split() if self._waiting else None

    def _split(self) -> Piece:
        chunk = self._waiting[0]
        share = -(-sum(one.left for one in self._waiting) // self._workers)
        first = chunk.given
        chunk.given = min(first + max(share, LEAST_ROWS), len(chunk.texts))
        if not chunk.left:
            self._waiting.popleft()
        chunk.answers.append(None)
        return Piece(chunk=chunk, number=len(chunk.answers) - 1, rows=slice(first, chunk.given))


def death(work: str, how: str) -> TextbatchError:
    """The error for workers that died again and again.

    Args:
        work: What they did.
        how: The signal or exit code of the last one.
    """
    what = f"{TRIES} worker processes died {work}, the last one with {how}"
    if how == "SIGKILL":
        return OutOfMemoryError(
            f"{what}, as where memory is short", "take fewer --jobs, or --chunk-rows 1000"
        )
    return TextbatchError(what, "this is a bug in textbatch or in a library: please report it")
