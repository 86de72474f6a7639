"""Who gets which rows, and what becomes of the rows of a dead worker; without any process."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
import pytest

from textbatch.errors import BundleError, OutOfMemoryError, TextbatchError
from textbatch.scoring.backends.chunk_queue import LEAST_ROWS, Chunk, ChunkQueue, Piece
from textbatch.scoring.backends.chunk_worker import Answer, EngineUsed, packed, unpacked
from textbatch.scoring.backends.port import TRIES
from textbatch.types import Predictions

ROWS = 4 * LEAST_ROWS


def chunk(rows: int = ROWS) -> Chunk:
    texts = pa.array([str(row) for row in range(rows)])
    return Chunk(texts=texts, undecodable=np.zeros(rows, np.bool_))


def answer(piece: Piece) -> Answer:
    """The texts, which are numbers, as probabilities."""
    numbers = np.array([float(text) for text in piece.texts.to_pylist()], np.float32)
    predictions = Predictions(
        probabilities=numbers[:, None], status=np.zeros(len(numbers), np.int8)
    )
    return Answer(predictions=predictions, work=[(len(numbers), 0, 0)])


def put(queue: ChunkQueue, count: int) -> list[Chunk]:
    chunks = [chunk() for _ in range(count)]
    for one in chunks:
        queue.put(one)
    return chunks


def sizes(queue: ChunkQueue) -> list[int]:
    found = []
    while piece := queue.take(wait=False):
        found.append(len(piece.texts))
        queue.answer(piece, answer(piece))
    return found


def test_the_last_chunks_are_shared_and_the_others_stay_whole():
    queue = ChunkQueue(2)
    put(queue, 3)
    assert sizes(queue) == [ROWS, ROWS, ROWS // 2, ROWS // 4, ROWS // 4]


def test_predictions_are_in_order_whoever_ends_first():
    queue = ChunkQueue(4)
    (one,) = put(queue, 1)
    pieces = [queue.take(wait=False) for _ in range(4)]
    assert queue.take(wait=False) is None
    for piece in reversed(pieces):
        assert not one.future.done()
        queue.answer(piece, answer(piece))
    found = one.future.result(0).probabilities[:, 0]
    assert found.tolist() == list(range(ROWS))


def test_a_dead_workers_rows_are_begun_again_the_last_time_alone():
    queue = ChunkQueue(1)
    first, second = put(queue, 2)
    piece = queue.take(wait=False)
    for _ in range(TRIES - 1):
        queue.died(piece, "SIGKILL")
        other = queue.take(wait=False)
        if other.chunk is not first:
            break
        piece = other
    # It was taken again at once, and now has its last try: nothing runs beside it.
    assert piece.deaths == TRIES - 1
    assert queue.take(wait=False) is None
    queue.answer(piece, answer(piece))
    assert len(first.future.result(0)) == ROWS
    assert queue.take(wait=False).chunk is second


@pytest.mark.parametrize(
    ("how", "kind"), [("SIGKILL", OutOfMemoryError), ("SIGSEGV", TextbatchError)]
)
def test_three_deaths_end_all_work_with_the_cause(how, kind):
    queue = ChunkQueue(2)
    chunks = put(queue, 2)
    other = queue.take(wait=False)
    piece = queue.take(wait=False)
    queue.died(piece, how)
    queue.died(queue.take(wait=False), how)
    # Another piece still runs, so the last try has to wait.
    assert queue.take(wait=False) is None
    queue.answer(other, answer(other))
    queue.died(queue.take(wait=False), how)
    error = chunks[1].future.exception(0)
    assert type(error) is kind
    assert how in str(error)
    assert f"{ROWS // 2:,} rows" in str(error) or f"{ROWS:,} rows" in str(error)
    late = chunk()
    queue.put(late)
    assert late.future.exception(0) is error
    assert queue.engine.exception(0) is error
    assert not queue.is_needed(0)


def test_a_piece_that_could_not_begin_is_not_blamed():
    queue = ChunkQueue(1)
    put(queue, 1)
    for _ in range(TRIES + 1):
        piece = queue.take(wait=False)
        queue.give_back(piece)
    assert queue.take(wait=False).deaths == 0


def test_small_inputs_need_one_worker_only():
    queue = ChunkQueue(3)
    put(queue, 1)
    assert queue.is_needed(0)
    waits = threading.Thread(target=queue.is_needed, args=(1,), daemon=True)
    waits.start()
    waits.join(0.05)
    assert waits.is_alive()
    queue.close()
    waits.join(10)
    assert not waits.is_alive()


def test_an_error_reaches_rows_that_are_with_a_worker():
    queue = ChunkQueue(1)
    (one,) = put(queue, 1)
    piece = queue.take(wait=False)
    queue.fail(BundleError("the model answers with NaN", "train it again"))
    assert isinstance(one.future.exception(0), BundleError)
    queue.answer(piece, answer(piece))
    assert queue.take(wait=True) is None


def test_the_first_workers_engine_is_told():
    queue = ChunkQueue(2)
    told = EngineUsed(name="onnx", device="cpu", precision="f32")
    queue.tell(told)
    queue.tell(EngineUsed(name="other", device="cpu", precision="f32"))
    assert queue.engine.result(0) is told


def test_texts_travel_as_they_are():
    texts = pa.array(["a", None, "", "文 本", "b"], pa.large_string())
    undecodable = np.array([False, True, False, False, True])
    found, mask = unpacked(packed(texts[1:], undecodable[1:]).to_pybytes())
    assert found.equals(texts[1:])
    assert mask.tolist() == [True, False, False, True]
