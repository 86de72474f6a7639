"""What a worker for chunks does with its connection."""

from __future__ import annotations

import threading
from contextlib import suppress
from multiprocessing import Pipe

import numpy as np
import pyarrow as pa
import pytest

from textbatch.data.output.answer_counts import WorkCounts
from textbatch.scoring.backends.chunk_worker import DEPTH, _answer_all, packed
from textbatch.types import Predictions

#: Much more than a connection holds.
ROWS, LABELS = 20_000, 50


class Pending:
    def __init__(self, predictor: Predictor):
        self.predictor = predictor

    def result(self) -> Predictions:
        self.predictor.computing.set()
        assert self.predictor.computed.wait(60)
        return Predictions(
            probabilities=np.zeros((ROWS, LABELS), np.float32), status=np.zeros(ROWS, np.int8)
        )


class Predictor:
    """Computes until it is told that it is done."""

    def __init__(self):
        self.computed, self.computing = threading.Event(), threading.Event()
        self.work = [WorkCounts()]

    def start(self, texts, undecodable):
        assert len(texts) == len(undecodable) == ROWS
        return Pending(self)


def served(connection, predictor) -> None:
    with suppress(EOFError, ConnectionError):
        _answer_all(connection, predictor)


@pytest.fixture
def worker():
    ours, theirs = Pipe()
    predictor = Predictor()
    thread = threading.Thread(target=served, args=(theirs, predictor), daemon=True)
    thread.start()
    yield ours, predictor
    ours.close()
    thread.join(60)
    assert not thread.is_alive()
    theirs.close()


def test_a_piece_and_an_answer_that_are_both_large_pass_each_other(worker):
    """The worker has begun to compute when the next piece comes: with it, both would be blocked."""
    ours, predictor = worker
    piece = packed(pa.array(["x" * 100] * ROWS), np.zeros(ROWS, np.bool_))
    sent, answers = threading.Event(), []

    def drive():
        """As the thread of a worker process does."""
        ours.send_bytes(piece)
        assert predictor.computing.wait(60)
        for _ in range(DEPTH - 1):
            threading.Timer(0.1, predictor.computed.set).start()
            ours.send_bytes(piece)
        sent.set()
        for _ in range(DEPTH):
            answers.append(ours.recv())
        for _ in range(4):
            ours.send_bytes(piece)
            answers.append(ours.recv())

    thread = threading.Thread(target=drive, daemon=True)
    thread.start()
    thread.join(60)
    assert sent.is_set(), "the driver waits for the worker, and the worker for the driver"
    assert [len(answer.predictions.status) for answer in answers] == [ROWS] * (DEPTH + 4)
