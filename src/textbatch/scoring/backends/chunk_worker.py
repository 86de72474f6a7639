"""What a worker process for the chunks of one file does: load the model once, then predict.

It imports what predicts and nothing else, so that it starts quickly.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from queue import SimpleQueue

import numpy as np
import pyarrow as pa

from textbatch.data.output.answer_counts import WorkCounts
from textbatch.data.without_pandas import keep_pandas_out
from textbatch.model.predictors import PendingOfEach, Predictors
from textbatch.scoring.backends.large_values import recv_large
from textbatch.scoring.backends.process import as_value, begin_worker
from textbatch.types import BoolArray, Predictions

#: Pieces that a worker has at a time: it tokenizes one while its threads compute the other.
DEPTH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineUsed:
    """What runs the network in a worker.

    Attributes:
        name: The name that `--engine` has for it.
        device: `cpu` or `gpu`.
        precision: The value of `--precision`.
    """

    name: str
    device: str
    precision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A piece's predictions.

    Attributes:
        predictions: In the order of its rows.
        work: For each model what `Predictors.work` counts, of these rows.
    """

    predictions: Predictions
    work: list[WorkCounts]


def packed(texts: pa.Array, undecodable: BoolArray) -> pa.Buffer:
    """Texts as a stream of Arrow: their bytes as they are, without a Python object for each.

    Args:
        texts: Valid strings or null. Shape `(rows,)`.
        undecodable: True where a null means that the text is not UTF-8. Shape `(rows,)`.
    """
    batch = pa.record_batch({"texts": texts, "undecodable": pa.array(undecodable)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue()


def unpacked(data: bytes) -> tuple[pa.Array, BoolArray]:
    """What was packed, without a copy of the texts."""
    with pa.ipc.open_stream(data) as stream:
        batch = stream.read_next_batch()
    undecodable: BoolArray = np.asarray(batch.column(1).to_numpy(zero_copy_only=False), np.bool_)
    return batch.column(0), undecodable


def serve(connection: Connection, driver: int) -> None:
    """Predict what comes through a connection, in its order, until it ends.

    First comes a function that opens the predictors; the answer to it is an `EngineUsed`.
    Then come packed texts; the answers are `Answer`. Instead of any answer an error may come, which
    is the last.

    Args:
        connection: To the driver.
        driver: The driver's process.
    """
    begin_worker(driver)
    keep_pandas_out()
    # The driver closes its end when it needs no more.
    with suppress(EOFError, ConnectionError):
        try:
            opened: Callable[[], Predictors] = recv_large(connection)
            with opened() as predictor:
                engine = predictor.engine
                used = EngineUsed(
                    name=engine.name, device=engine.device, precision=engine.precision
                )
                connection.send(used)
                _answer_all(connection, predictor)
        except (EOFError, ConnectionError):
            # What is being computed is of no use any more.
            os._exit(0)
        except Exception as error:
            connection.send(as_value(error, "a chunk of the input"))


def _answer_all(connection: Connection, predictor: Predictors) -> None:
    # Pieces are received beside the work: the driver sends one while an answer is sent to it, and
    # where both are larger than what the connection holds, each would wait for the other.
    pieces: SimpleQueue[bytes | BaseException] = SimpleQueue()
    threading.Thread(target=_receive_all, args=(connection, pieces), daemon=True).start()
    pending: deque[tuple[PendingOfEach, list[WorkCounts]]] = deque()
    while True:
        if pending and (len(pending) >= DEPTH or pieces.empty()):
            begun, tokens = pending.popleft()
            # Tokens are counted when a piece begins, early rows when it ends.
            early = [one.early for one in predictor.work]
            predictions = begun.result()
            work = [
                replace(seen, early=now.early - before)
                for seen, now, before in zip(tokens, predictor.work, early, strict=True)
            ]
            connection.send(Answer(predictions=predictions, work=work))
            continue
        piece = pieces.get()
        if isinstance(piece, BaseException):
            raise piece
        texts, undecodable = unpacked(piece)
        before_it = predictor.work
        begun = predictor.start(texts, undecodable)
        tokens = [now - then for then, now in zip(before_it, predictor.work, strict=True)]
        pending.append((begun, tokens))


def _receive_all(connection: Connection, pieces: SimpleQueue[bytes | BaseException]) -> None:
    """Take what the driver sends, until that ends. It sends no more than `DEPTH` before an answer.

    Args:
        connection: To the driver.
        pieces: Gets the pieces, and at last the error that ended them.
    """
    try:
        while True:
            pieces.put(connection.recv_bytes())
    except BaseException as error:
        pieces.put(error)
