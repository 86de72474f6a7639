"""What a store answers is counted and compared: short bodies, capped ranges, replaced objects."""

from __future__ import annotations

import gzip
import io

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from support.bundles import random_texts

from textbatch import score
from textbatch.data.storage import remote
from textbatch.errors import DataError, TryAgainError

ROWS = 3000
TEXTS = [text or "refund" for text in random_texts(ROWS, seed=1)]


def files() -> dict[str, bytes]:
    """The same rows in every format, in several row groups."""
    table = pa.table({"text": TEXTS})
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=500)
    clean = [text.replace('"', "").replace("\n", " ").replace("\r", " ") for text in TEXTS]
    csv = "text\n" + "".join(f'"{text}"\n' for text in clean)
    lines = "".join(f'{{"text": "refund {number}"}}\n' for number in range(ROWS))
    return {
        "a.parquet": sink.getvalue(),
        "a.csv": csv.encode(),
        "a.csv.gz": gzip.compress(csv.encode()),
        "a.jsonl": lines.encode(),
    }


FILES = files()


class Flaky(MemoryFileSystem):
    """A store whose reads can be short, long, or of another object."""

    protocol = "flaky"
    store: dict = {}  # noqa: RUF012 - as its base has it
    pseudo_dirs = [""]  # noqa: RUF012
    mode = ""
    reads = 0

    def cat_file(self, path, start=None, end=None, **kwargs):
        type(self).reads += 1
        data = super().cat_file(path, start=start, end=end, **kwargs)
        if self.mode == "short":
            return data[: 1 + len(data) // 2]
        if self.mode == "long":
            return data + b"of another object"
        if self.mode == "empty":
            return b""
        return data


@pytest.fixture
def flaky():
    fsspec.register_implementation("flaky", Flaky, clobber=True)
    Flaky.mode, Flaky.reads = "", 0
    Flaky.store.clear()
    found = fsspec.filesystem("flaky", use_listings_cache=False)
    for name, data in FILES.items():
        found.pipe_file(f"/bucket/{name}", data)
    yield Flaky
    Flaky.mode = ""
    Flaky.store.clear()


@pytest.fixture
def small_blocks(monkeypatch):
    """Many requests for a small file."""
    monkeypatch.setattr(remote, "_BLOCK_BYTES", 4096)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["short", "cut", "cap"])
@pytest.mark.parametrize("call", [2, 3, 5])
def test_short_bodies_of_s3_lose_no_row(call, kind, name, store, model, tmp_path):
    store.put(name, FILES[name])
    store.faults.begin(kind, first=call, count=3)
    done = score(f"s3://bucket/{name}", tmp_path / "out.parquet", model=model)
    assert store.faults.hits
    assert done.rows_out == ROWS
    (tmp_path / name).write_bytes(FILES[name])
    score(tmp_path / name, tmp_path / "local.parquet", model=model)
    found, expected = (pq.read_table(tmp_path / f"{part}.parquet") for part in ("out", "local"))
    assert found.equals(expected)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", FILES)
def test_short_bodies_of_other_stores_lose_no_row(name, flaky, model, tmp_path):
    flaky.mode = "short"
    done = score(f"flaky://bucket/{name}", tmp_path / "out.parquet", model=model)
    assert done.rows_out == ROWS
    assert flaky.reads > 3


@pytest.mark.parametrize("mode", ["long", "empty"])
@pytest.mark.parametrize("name", FILES)
def test_what_is_no_answer_to_the_range_ends_with_try_again(
    name, mode, flaky, model, tmp_path, monkeypatch
):
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "0.1")
    flaky.mode = mode
    with pytest.raises(TryAgainError):
        score(f"flaky://bucket/{name}", tmp_path / "out.parquet", model=model)
    assert not list(tmp_path.glob("out*"))


def replacing(monkeypatch, replace) -> None:
    """Replace the object before its second read."""
    real, calls = remote.RemoteReader.read, []

    def read(self, size=-1, /):
        calls.append(size)
        if len(calls) == 2:
            replace()
        return real(self, size)

    monkeypatch.setattr(remote.RemoteReader, "read", read)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("scheme", ["s3", "flaky"])
def test_an_object_replaced_between_two_reads_is_no_output(
    scheme, name, flaky, store, model, tmp_path, monkeypatch
):
    # Of the same size, and for S3 within the same second.
    other = FILES[name][:-1] + bytes([FILES[name][-1] ^ 1])
    store.put(name, FILES[name])

    def replace() -> None:
        store.put(name, other)
        fsspec.filesystem("flaky", use_listings_cache=False).pipe_file(f"/bucket/{name}", other)

    replacing(monkeypatch, replace)
    # A reader may find it damaged first.
    with pytest.raises(DataError, match=r"replaced|changed|cannot be read"):
        score(f"{scheme}://bucket/{name}", tmp_path / "out.parquet", model=model)
    assert not list(tmp_path.glob("out*"))
