"""The Nth call fails: the job ends complete or with "try again", and nothing partial is seen."""

from __future__ import annotations

import io
import json
from functools import cache
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts
from support.killable_job import FULL

from textbatch import score
from textbatch.data.storage import s3_upload
from textbatch.errors import TryAgainError

IN, OUT = "s3://bucket/in", "s3://bucket/out"
KINDS = ("500", "503", "reset", "lost", "timeout")
CALLS = range(1, 101) if FULL else (2, 23)
#: One failing call is tried again; a store that stays down is not.
OUTAGE = 10**6
#: So many that a job makes over a hundred calls. The first ones are so large that they are uploaded
#: in pieces.
FILES, LARGE = 10, 2


@pytest.fixture
def rows(store, monkeypatch) -> dict[str, int]:
    """Files two folders deep; rows by name."""
    monkeypatch.setattr(s3_upload, "PART_BYTES", 5 << 20)
    return put_files(store, FILES)


def put_files(store, count: int) -> dict[str, int]:
    names = {
        f"year=202{number % 3}/region=r{number % 2}/f{number:03d}.parquet": number
        for number in range(count)
    }
    for name, number in names.items():
        store.put(f"in/{name}", file_of(number))
    return {name: rows_of(number) for name, number in names.items()}


def rows_of(number: int) -> int:
    return 20 + number % 30


@cache
def file_of(number: int) -> bytes:
    # What cannot be compressed: 300 kB a row make two pieces of an upload.
    random, size = Random(number), 300_000 if number < LARGE else 10
    texts = random_texts(50, seed=number)[: rows_of(number)]
    blobs = pa.array([random.randbytes(size) for _ in texts], pa.binary())
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": pa.array(texts, pa.string()), "blob": blobs}), sink)
    return sink.getvalue()


def assert_whole_or_absent(store, rows: dict[str, int]) -> bool:
    """Every visible object is whole, and `_SUCCESS` stands only where all are there."""
    keys = set(store.keys("out/"))
    names = {key.removeprefix("out/") for key in keys} - {"_SUCCESS", "_manifest.jsonl"}
    assert names <= set(rows)
    for name in names:
        assert store.table(f"out/{name}").num_rows == rows[name]
    # What is under way is none of them, and never what says that the job is done.
    assert set(store.uploads()) <= {f"out/{name}" for name in set(rows) - names}
    if "out/_SUCCESS" not in keys:
        return False
    assert names == set(rows)
    success = json.loads(store.get("out/_SUCCESS"))
    assert (success["parts"], success["rows_out"]) == (len(rows), sum(rows.values()))
    assert len(store.get("out/_manifest.jsonl").splitlines()) >= len(rows)
    assert store.uploads() == []
    return True


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_one_failing_call_is_tried_again(kind, call, store, rows, model):
    store.faults.begin(kind, first=call)
    done = score(IN, OUT, model=model)
    assert store.faults.hits == 1
    store.faults.begin()
    assert done.rows_out == sum(rows.values())
    assert assert_whole_or_absent(store, rows)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", ["500", "503", "reset", "timeout"])
def test_an_outage_ends_the_job_with_75_and_the_next_run_finishes_it(
    kind, call, store, rows, model, in_process, monkeypatch
):
    store.faults.begin(kind, first=call, count=OUTAGE)
    done = in_process("score", IN, OUT, "--model", model, TEXTBATCH_RETRY_SECONDS="0.2")
    assert store.faults.hits
    store.faults.begin()
    assert done.returncode == 75, done.stderr
    assert done.stderr.count("textbatch: error[TryAgain]") == 1
    assert not assert_whole_or_absent(store, rows)
    finished = len(store.keys("out/"))
    done = score(IN, OUT, model=model)
    # The last one may have come without the store's saying so, and is then uploaded once more.
    assert done.files["found"] == FILES
    assert finished - 1 <= done.files["resumed"] <= finished
    assert assert_whole_or_absent(store, rows)


@pytest.mark.parametrize("step", [3, 7] if FULL else [5])
def test_many_files_come_through_a_store_that_fails_again_and_again(step, store, model):
    rows = put_files(store, 200 if FULL else 20)
    store.faults.begin("500 503 reset lost", first=1, count=OUTAGE, step=step)
    done = score(IN, OUT, model=model)
    assert store.faults.hits >= len(rows)
    store.faults.begin()
    assert done.files == {
        "found": len(rows),
        "scored": len(rows),
        "resumed": 0,
        "known": 0,
        "stray": 0,
        "stale": 0,
        "rescored": 0,
    }
    assert assert_whole_or_absent(store, rows)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_upload_that_is_interrupted_is_aborted(error, store, rows, model, monkeypatch):
    def broken(*arguments: object) -> dict[str, object]:
        raise error

    with monkeypatch.context() as patch:
        patch.setenv("TEXTBATCH_RETRY_SECONDS", "0.1")
        patch.setattr(s3_upload.S3Upload, "_part", broken)
        with pytest.raises((KeyboardInterrupt, TryAgainError)):
            score(IN, OUT, model=model)
    assert store.uploads() == []
    assert store.keys("out/") == []
    done = score(IN, OUT, model=model)
    assert done.rows_out == sum(rows.values())
