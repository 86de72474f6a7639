"""Objects of S3 that are read directly, where one of the first 20 calls fails or is too late."""

from __future__ import annotations

import io
from itertools import cycle, product

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts
from support.killable_job import FULL

from textbatch.data.storage import remote

ROWS = 300
#: Others fail alike wherever an object goes: see `test_storage_faults`.
KINDS = ("short", "cut", "drip", "cap", "flip")
if FULL:
    KINDS += ("500", "503", "reset", "lost", "timeout")
CALLS = range(1, 21) if FULL else (7, 9, 11)
NAMES = ("in.parquet", "in.csv", "in.jsonl")
CASES = (
    [*product(NAMES, KINDS, CALLS)]
    if FULL
    else [*zip(cycle(NAMES), KINDS, cycle(CALLS), strict=False)]
)
#: In a plain run some calls of some formats.
REPLACED = (
    [*product(NAMES, CALLS)]
    if FULL
    else [("in.parquet", 8), ("in.parquet", 11), ("in.csv", 6), ("in.csv", 8), ("in.jsonl", 8)]
)


def content(name: str, sign: int = 1) -> bytes:
    ids = [sign * number for number in range(1, ROWS + 1)]
    if name == "in.csv":
        return b"id,text\n" + b"".join(b"%d,refund %d\n" % (one, abs(one)) for one in ids)
    if name == "in.jsonl":
        lines = (f'{{"id": {one}, "text": "refund {abs(one)}"}}\n' for one in ids)
        return "".join(lines).encode()
    sink = io.BytesIO()
    table = pa.table({"id": ids, "text": random_texts(ROWS, seed=6)})
    pq.write_table(table, sink, row_group_size=100)
    return sink.getvalue()


def ids_of(store, key: str) -> list[int]:
    return [int(value) for value in store.table(key)["id"].to_pylist()]


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(remote, "_BLOCK_BYTES", 1000)
    monkeypatch.setenv("TEXTBATCH_REQUEST_SECONDS", "0.5")


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(("name", "kind", "call"), CASES)
def test_a_failing_call_gives_the_right_rows_or_none(name, kind, call, store, model, in_process):
    store.put(name, content(name))
    store.faults.begin(kind, first=call)
    done = in_process("score", f"s3://bucket/{name}", "s3://bucket/out.parquet", "--model", model)
    store.faults.begin()
    # A bit that flips in what the store says about an object is no fault of its body.
    assert done.returncode in ((0, 65, 75) if kind == "flip" else (0,)), done.stderr
    assert bool(store.keys("out.parquet")) == (done.returncode == 0)
    if done.returncode == 0:
        assert ids_of(store, "out.parquet") == [*range(1, ROWS + 1)]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(("name", "call"), REPLACED)
def test_an_object_that_is_replaced_at_a_call_gives_no_mixed_rows(
    name, call, store, model, in_process
):
    store.put(name, content(name))
    store.replace = lambda: store.put(name, content(name, -1))
    store.faults.begin("replaced", first=call)
    done = in_process("score", f"s3://bucket/{name}", "s3://bucket/out.parquet", "--model", model)
    calls = list(store.faults.calls)
    store.faults.begin()
    assert done.returncode in (0, 65), done.stderr
    assert bool(store.keys("out.parquet")) == (done.returncode == 0)
    if done.returncode == 0:
        assert ids_of(store, "out.parquet") in ([*range(1, ROWS + 1)], [*range(-1, -ROWS - 1, -1)])
    # Each read has the version of the first look as its condition.
    read = f"GET /bucket/{name}"
    if read in calls[: call - 1] and read in calls[call:]:
        assert done.returncode == 65
        assert "while it was" in done.stderr  # replaced, or changed
