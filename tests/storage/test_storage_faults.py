"""The Nth call fails: the job ends complete or with "try again", and nothing partial is seen."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from faulting import FULL

from textbatch import score
from textbatch.data import upload
from textbatch.errors import TryAgainError

IN, OUT = "s3://bucket/in", "s3://bucket/out"
KINDS = ("500", "503", "reset", "lost", "timeout")
CALLS = range(1, 101) if FULL else (2, 9, 23)
#: One failing call is tried again; a store that stays down is not.
OUTAGE = 10**6


@pytest.fixture
def rows(store, monkeypatch) -> dict[str, int]:
    """Three files whose parts are large enough for uploads in several parts."""
    monkeypatch.setattr(upload, "PART_BYTES", 5 << 20)
    counts = {}
    for number in range(3):
        name = f"year=202{number}/f{number}.parquet"
        counts[name] = 20 + number
        noise = [pa.py_buffer(bytes(_noise(number * 100 + row))) for row in range(counts[name])]
        table = pa.table(
            {
                "text": ["refund the card"] * counts[name],
                "blob": pa.array([buffer.to_pybytes() for buffer in noise], pa.binary()),
            }
        )
        sink = io.BytesIO()
        pq.write_table(table, sink)
        store.put(f"in/{name}", sink.getvalue())
    return counts


def _noise(seed: int) -> bytes:
    import random

    # Not compressible: 20 rows make 6 MB, two parts of an upload.
    return random.Random(seed).randbytes(300_000)


def assert_whole_or_absent(store, rows: dict[str, int]) -> bool:
    """Every visible part is whole, and `_SUCCESS` stands only where all are there."""
    keys = set(store.keys("out/"))
    names = {key.removeprefix("out/") for key in keys} - {"_SUCCESS", "_manifest.jsonl"}
    assert names <= set(rows)
    for name in names:
        assert store.table(f"out/{name}").num_rows == rows[name]
    complete = "out/_SUCCESS" in keys
    assert names == set(rows) if complete else True
    return complete


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_one_failing_call_is_tried_again(kind, call, store, rows, model):
    store.faults.begin(kind, first=call)
    done = score(IN, OUT, model=model)
    store.faults.begin()
    assert done.rows_out == sum(rows.values())
    assert assert_whole_or_absent(store, rows)
    assert store.uploads() == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", ["503", "reset"])
def test_an_outage_ends_the_job_and_the_next_run_finishes_it(
    kind, call, store, rows, model, monkeypatch
):
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "0.2")
    store.faults.begin(kind, first=call, count=OUTAGE)
    ended = True
    try:
        score(IN, OUT, model=model)
    except TryAgainError:  # exit code 75
        ended = False
    store.faults.begin()
    assert assert_whole_or_absent(store, rows) == ended
    if not ended:
        monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "5")
        assert score(IN, OUT, model=model).files["found"] == 3
        assert assert_whole_or_absent(store, rows)
    assert store.uploads() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_upload_that_is_interrupted_is_aborted(error, store, rows, model, monkeypatch):
    def broken(*arguments: object) -> dict[str, object]:
        raise error

    with monkeypatch.context() as patch:
        patch.setenv("TEXTBATCH_RETRY_SECONDS", "0.1")
        patch.setattr(upload._S3Upload, "_part", broken)
        with pytest.raises((KeyboardInterrupt, TryAgainError)):
            score(IN, OUT, model=model)
    assert store.uploads() == []
    assert store.keys("out/") == []
    done = score(IN, OUT, model=model)
    assert done.rows_out == sum(rows.values())
