"""A bit that flips on the way to S3 or back is found where the store has a checksum."""

from __future__ import annotations

import gzip
import io
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts

from textbatch import score
from textbatch.data.readers.source import open_source
from textbatch.data.storage import remote, s3_upload
from textbatch.errors import DataError, TryAgainError

ROWS = 200
TEXTS = [text or "refund" for text in random_texts(ROWS, seed=3)]
#: More calls than a job makes.
OUTAGE = 10**6


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": TEXTS, "blob": ["x" * 40_000] * ROWS}), sink)
    return sink.getvalue()


FILES = {
    "a.csv": ("text\n" + "".join(f"refund {number}\n" for number in range(ROWS))).encode(),
    "a.jsonl": "".join(f'{{"text": "refund {number}"}}\n' for number in range(ROWS)).encode(),
    "a.parquet": parquet(),
}


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_of_a_body_is_asked_for_again(name, store, model, tmp_path):
    store.put(name, FILES[name])
    (tmp_path / name).write_bytes(FILES[name])
    score(tmp_path / name, tmp_path / "local.parquet", model=model)
    get = f"GET /bucket/{name}"
    store.faults.begin()
    score(f"s3://bucket/{name}", tmp_path / "whole.parquet", model=model)
    calls = list(store.faults.calls)
    reads = [number for number, call in enumerate(calls, 1) if call == get]
    assert reads
    for number in reads:
        store.faults.begin("flip", first=number)
        score(f"s3://bucket/{name}", tmp_path / f"{number}.parquet", model=model)
        assert store.faults.hits == 1
        # The one that was flipped was noticed, and asked for once more.
        assert store.faults.calls.count(get) == len(reads) + 1
        found, expected = (
            pq.read_table(tmp_path / f"{part}.parquet") for part in (str(number), "local")
        )
        assert found.equals(expected)


@pytest.mark.parametrize("name", FILES)
def test_bits_that_flip_again_and_again_end_the_job_with_75(
    name, store, model, tmp_path, monkeypatch
):
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "0.2")
    store.put(name, FILES[name])
    store.faults.begin("flip", first=2, count=OUTAGE)
    with pytest.raises(TryAgainError):
        score(f"s3://bucket/{name}", tmp_path / "out.parquet", model=model)
    assert store.faults.hits
    assert not list(tmp_path.glob("out*"))


LINES = 8_000
#: What is hardly compressed.
CSV = b"text\n" + b"".join(b"%s\n" % Random(n).randbytes(15).hex().encode() for n in range(LINES))
LARGE = {
    "a.csv": CSV,
    "a.csv.gz": gzip.compress(CSV),
    "a.jsonl": b"".join(b'{"text": "refund %d"}\n' % n for n in range(LINES // 4)),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_flipped_bit_of_a_piece_is_never_an_answer(name, store, model, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "_BLOCK_BYTES", 5000)
    store.put(name, LARGE[name])
    line = (f"s3://bucket/{name}", tmp_path / "whole.parquet")
    store.faults.begin()
    score(*line, model=model)
    reads = [at for at, call in enumerate(store.faults.calls, 1) if call.startswith("GET")]
    refused = 0
    for number in {reads[0], reads[-2], reads[-1]}:
        store.faults.begin("flip", first=number)
        out = tmp_path / f"{number}.parquet"
        try:
            score(line[0], out, model=model)
        except (TryAgainError, DataError):
            # The sum is known at the end; a reader may find the piece damaged first.
            refused += 1
            assert not out.exists()
        else:
            assert pq.read_table(out).equals(pq.read_table(line[1]))
        assert store.faults.hits == 1
    assert refused


@pytest.mark.parametrize("cut", [b"text,id\n", b"text\tid\n"])
def test_a_header_that_differs_from_the_first_look_is_refused(cut, tmp_path):
    file = tmp_path / "a.csv"
    file.write_bytes(b"text,ie\n" + b"refund,1\n" * 10)
    source = open_source(file)
    file.write_bytes(cut + b"refund,1\n" * 10)
    with pytest.raises(TryAgainError, match="begins otherwise"):
        list(source.batches(["text"], 10))


@pytest.fixture(params=["whole", "in parts"])
def source(request, tmp_path, monkeypatch):
    """A file whose output is uploaded with one call, or with several."""
    size = 10
    if request.param == "in parts":
        monkeypatch.setattr(s3_upload, "PART_BYTES", 5 << 20)
        size = 60_000
    blobs = pa.array([Random(number).randbytes(size) for number in range(ROWS)])
    pq.write_table(pa.table({"text": TEXTS, "blob": blobs}), tmp_path / "a.parquet")
    return tmp_path / "a.parquet"


def test_what_is_flipped_on_its_way_to_the_store_is_refused_and_sent_again(source, store, model):
    store.faults.begin()
    score(source, "s3://bucket/out.parquet", model=model, if_exists="replace")
    calls = list(store.faults.calls)
    expected = store.table("out.parquet")
    sent = [number for number, call in enumerate(calls, 1) if call.startswith("PUT")]
    assert sent
    for number in sent:
        store.faults.begin("flip", first=number)
        score(source, "s3://bucket/out.parquet", model=model, if_exists="replace")
        assert store.faults.hits == 1
        store.faults.begin()
        assert store.table("out.parquet").equals(expected)


def test_nothing_is_published_where_all_that_is_sent_is_flipped(source, store, model, monkeypatch):
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "0.2")
    store.faults.begin("flip", first=1, count=OUTAGE)
    with pytest.raises(TryAgainError):
        score(source, "s3://bucket/out.parquet", model=model)
    store.faults.begin()
    assert store.keys() == []
