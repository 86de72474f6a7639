"""Two worker processes and a store that fails: complete or "try again", nothing partial is seen."""

from __future__ import annotations

import io

import joblib
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts
from support.killable_job import FULL

from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

IN, OUT = "s3://bucket/in", "s3://bucket/out"
FILES, ROWS = 4, 40
ALL = "500 503 reset lost short cut timeout"
#: Every call of its step fails, each in another way; or one of all calls, in one way.
AGAIN_AND_AGAIN = (
    [(kind, step) for kind in (*ALL.split(), ALL) for step in (3, 7)]
    if FULL
    else [("500 503 reset lost short cut", 5)]
)
OUTAGES = (
    [(kind, call) for kind in ("500", "503", "reset", "timeout") for call in range(2, 60, 4)]
    if FULL
    else [("503", 22)]
)


@pytest.fixture(autouse=True)
def cores(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)


@pytest.fixture
def rows(store) -> dict[str, int]:
    for number in range(FILES):
        sink = io.BytesIO()
        table = pa.table({"text": random_texts(ROWS + number, seed=number)})
        pq.write_table(table, sink, row_group_size=20)
        store.put(f"in/f{number}.parquet", sink.getvalue())
    return {f"f{number}.parquet": ROWS + number for number in range(FILES)}


def whole(store, rows: dict[str, int]) -> bool:
    """Whether the output is complete; each object that is seen is whole, complete or not."""
    keys = {key.removeprefix("out/") for key in store.keys("out/")}
    names = keys - {"_SUCCESS", "_manifest.jsonl"}
    assert names <= set(rows)
    for name in names:
        assert store.table(f"out/{name}").num_rows == rows[name]
    if "_SUCCESS" in keys:
        assert names == set(rows)
        assert store.uploads() == []
    return "_SUCCESS" in keys


@pytest.mark.parametrize(("kinds", "step"), AGAIN_AND_AGAIN)
def test_a_folder_comes_through_a_store_that_fails_again_and_again(
    kinds, step, store, rows, model, in_process
):
    store.faults.begin(kinds, first=2, count=10**6, step=step)
    flags = ("--model", model, "--jobs", "2", "--threads", "1")
    done = in_process("score", IN, OUT, *flags)
    assert store.faults.hits > 2
    store.faults.begin()
    assert done.returncode in (0, 75), done.stderr
    assert whole(store, rows) == (done.returncode == 0)
    if done.returncode:
        assert in_process("score", IN, OUT, *flags).returncode == 0
        assert whole(store, rows)


@pytest.mark.parametrize(("kind", "call"), OUTAGES)
def test_an_outage_is_75_and_the_next_run_finishes(kind, call, store, rows, model, in_process):
    store.faults.begin(kind, first=call, count=10**6)
    flags = ("--model", model, "--jobs", "2", "--threads", "1")
    done = in_process("score", IN, OUT, *flags, TEXTBATCH_RETRY_SECONDS="0.2")
    hits = store.faults.hits
    store.faults.begin()
    # A call that a whole job does not have never fails.
    assert done.returncode == 75 or (done.returncode == 0 and not hits), done.stderr
    assert whole(store, rows) == (done.returncode == 0)
    if done.returncode:
        assert in_process("score", IN, OUT, *flags).returncode == 0
        assert whole(store, rows)


NAMES = ("in.parquet", "in.csv", "in.jsonl")


def content(name: str) -> bytes:
    texts = [text or "" for text in random_texts(300, seed=6)]
    table = pa.table({"id": list(range(300)), "text": [text.replace('"', "") for text in texts]})
    sink = io.BytesIO()
    if name.endswith("parquet"):
        pq.write_table(table, sink)
    elif name.endswith("csv"):
        table.to_pandas().to_csv(sink, index=False)
    else:
        table.to_pandas().to_json(sink, orient="records", lines=True)
    return sink.getvalue()


@pytest.mark.parametrize("name", NAMES if FULL else NAMES[1:2])
def test_one_object_has_the_same_bytes_with_one_process_and_with_two(name, store, model):
    store.put(name, content(name))
    found = set()
    for jobs in (1, 2):
        values = {"inputs": f"s3://bucket/{name}", "output": f"s3://bucket/{jobs}.parquet"}
        more = {"model": model, "jobs": jobs, "threads": 1, "chunk_rows": 40}
        score(ScoreConfig.given(values | more), run_id="0123456789abcdef")
        found.add(store.get(f"{jobs}.parquet"))
    assert len(found) == 1
