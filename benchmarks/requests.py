"""Requests to an object store, counted at the S3 server of the tests.

The server has no waits of a real store. What it shows is how many requests there are, and of which
kind: the same job on more shards, and on more files, than another one.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import table
from benchmarks.commands import cpu_of

KINDS = ("GET", "HEAD", "LIST", "PUT", "POST", "DELETE")
_ROWS = 10
#: Objects up to 8 MiB are read at once. Larger ones are usual, so these are larger.
_ROW_BYTES = 256 << 10
#: Files, and shards of each.
_FEW, _MORE_SHARDS, _MORE_FILES = (2, 4), (2, 8), (4, 4)
#: What is counted, and the words of the command beside its input and output.
WAYS = {
    "share": ("--shard", "0/1"),
    "jobs": ("--jobs", 2),
}


def counted(model: Path, folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Requests of each way, by what they grow with, and by kind.

    Args:
        model: The model, on this machine's disk.
        folder: For the files, and for the work directory.
    """
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.object_store import Store

    store = Store()
    before = dict(os.environ)
    os.environ |= store.environment
    store.open()
    try:
        found: dict[str, dict[str, dict[str, float]]] = {}
        for way in WAYS:
            sizes = (_FEW, _MORE_SHARDS, _MORE_FILES)
            few, more, files = (_run(store, way, model, folder, *size) for size in sizes)
            for name in few:
                found[name] = _slopes(few[name], more[name], files[name])
        return found
    finally:
        store.close()
        os.environ.clear()
        os.environ |= before


def _slopes(few: Counter, more: Counter, files: Counter) -> dict[str, dict[str, float]]:
    """Requests a shard, a file, and a process, by kind."""
    shard = {kind: (more[kind] - few[kind]) / 8 for kind in KINDS}
    file = {kind: (files[kind] - few[kind] - 8 * shard[kind]) / 2 for kind in KINDS}
    process = {kind: few[kind] - 8 * shard[kind] - 2 * file[kind] for kind in KINDS}
    named = {"shard": shard, "file": file, "process": process}
    return {what: {k: n for k, n in each.items() if n} for what, each in named.items()}


def _run(store, way: str, model: Path, folder: Path, files: int, shards: int) -> dict[str, Counter]:
    store.clear()
    drawn = random.Random(0)
    for number in range(files):
        count = shards * _ROWS
        rows = pa.table(
            {
                "text": [f"refund my card {number} {row}" for row in range(count)],
                "other": [drawn.randbytes(_ROW_BYTES) for _ in range(count)],
            }
        )
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, row_group_size=_ROWS)
        store.put(f"incoming/{number}.parquet", sink.getvalue().to_pybytes())
    found = {}
    with TemporaryDirectory(dir=folder) as work:
        words = ("score", "s3://bucket/incoming/", "s3://bucket/scored/", "--model", model)
        options = ("--text-column", "text", "--shard-rows", _ROWS, "--threads", 1)
        store.faults.begin()
        cpu_of(*words, *options, "--work-dir", work, *WAYS[way])
        found[way] = _kinds(store.faults.calls)
        if way == "share":
            store.faults.begin()
            cpu_of("finish", "s3://bucket/scored/", "--work-dir", work)
            found["finish"] = _kinds(store.faults.calls)
    return found


def _kinds(calls: list[str]) -> Counter:
    """Calls by kind; to list is a GET of the bucket."""
    found: Counter = Counter()
    for call in calls:
        method, _, path = call.partition(" ")
        lists = method == "GET" and len(Path(path).parts) <= 2
        found["LIST" if lists else method] += 1
    return found


def told(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """The requests as Markdown."""
    titles = {
        "share": "`score --shard`",
        "jobs": "`score` with `--jobs` or an engine",
        "finish": "`finish`",
    }
    rows = [
        [titles[way], *(_cell(found[way][what]) for what in ("shard", "file", "process"))]
        for way in titles
    ]
    return table.markdown(["requests of", "a shard", "a file", "a process"], rows)


def _cell(kinds: Mapping[str, float]) -> str:
    return ", ".join(f"{number:g} {kind}" for kind, number in kinds.items()) or "none"
