"""Inputs, outputs and models in an object store, over the S3 protocol."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem
from support.bundles import random_texts, write_texts
from support.killable_job import FULL

from textbatch import score
from textbatch.data.readers.source import open_source
from textbatch.data.storage.failures import classified
from textbatch.data.storage.file_io import _file_io, new_input
from textbatch.data.storage.location import location_of
from textbatch.errors import (
    AccessError,
    BundleError,
    DataError,
    InputNotFoundError,
    OutputError,
    TryAgainError,
)

IN, OUT = "s3://bucket/in", "s3://bucket/out"


@pytest.fixture
def rows(store, tmp_path) -> dict[str, int]:
    """Ten files two folders deep, one without rows, and two strays; rows by name."""
    counts = {}
    for number in range(10):
        name = f"year=202{number % 2}/region=r{number % 3}/f{number}.parquet"
        counts[name] = 0 if number == 4 else 5 + number
        texts = pa.array(random_texts(20, seed=number)[: counts[name]], pa.string())
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"text": texts}), path)
    store.put_folder(tmp_path / "in", "in")
    store.put("in/year=2020/_tmp", b"x")
    store.put("in/year=2020/", b"")
    return counts


def parts(store, prefix: str = "out/") -> dict[str, int]:
    return {
        key.removeprefix(prefix): store.table(key).num_rows
        for key in store.keys(prefix)
        if key.endswith(".parquet")
    }


def test_a_file_goes_from_store_to_store(store, input_file, model, tmp_path):
    store.put("input.parquet", input_file.read_bytes())
    done = score("s3://bucket/input.parquet", "s3://bucket/scored.parquet", model=model)
    score(input_file, tmp_path / "local.parquet", model=model)
    assert store.table("scored.parquet").equals(pq.read_table(tmp_path / "local.parquet"))
    assert done.rows_out == 500
    assert store.uploads() == []
    with pytest.raises(OutputError, match="exists; add --overwrite"):
        score("s3://bucket/input.parquet", "s3://bucket/scored.parquet", model=model)
    again = {"model": model, "if_exists": "skip"}
    done = score("s3://bucket/input.parquet", "s3://bucket/scored.parquet", **again)
    assert (done.state, done.rows_out) == ("skipped", 500)
    with pytest.raises(OutputError, match="made with another --top-k"):
        score("s3://bucket/input.parquet", "s3://bucket/scored.parquet", top_k=1, **again)
    left = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert left == []


def test_a_folder_comes_out_as_a_mirror_and_only_new_objects_are_read(store, rows, model):
    job = {"model": model, "incremental": True}
    done = score(IN, OUT, **job)
    assert done.rows_out == sum(rows.values())
    assert done.files == {
        "found": 10,
        "scored": 10,
        "resumed": 0,
        "known": 0,
        "stray": 1,
        "stale": 0,
        "rescored": 0,
    }
    assert parts(store) == rows
    success = json.loads(store.get("out/_SUCCESS"))
    assert (success["parts"], success["rows_out"]) == (10, sum(rows.values()))

    store.put("in/year=2022/new.csv", b"text\nrefund\nlogin\n")
    store.faults.begin()
    done = score(IN, OUT, **job)
    assert (done.rows_out, done.files["scored"]) == (2, 1)
    read = {call for call in store.faults.calls if call.startswith("GET /bucket/in/")}
    assert read == {"GET /bucket/in/year=2022/new.csv"}
    assert parts(store) == rows | {"year=2022/new.parquet": 2}

    store.faults.begin()
    assert score(IN, OUT, **job).state == "skipped"
    assert not [call for call in store.faults.calls if "PUT" in call]
    assert len(store.faults.calls) <= 12


def test_many_objects_are_scored_and_then_only_the_three_new_ones_are_read(store, model, tmp_path):
    def fill(numbers: range) -> dict[str, int]:
        counts = {}
        for number in numbers:
            name = f"year=202{number % 4}/region=r{number % 5}/f{number:03d}.parquet"
            counts[name] = 0 if number % 17 == 0 else 1 + number % 40
            texts = pa.array(random_texts(50, seed=number)[: counts[name]], pa.string())
            pq.write_table(pa.table({"text": texts}), tmp_path / "one.parquet")
            store.put(f"in/{name}", (tmp_path / "one.parquet").read_bytes())
        return counts

    first = 200 if FULL else 20
    rows = fill(range(first))
    store.put("in/year=2020/_tmp", b"x")
    done = score(IN, OUT, model=model, incremental=True)
    assert (done.rows_out, done.files["scored"]) == (sum(rows.values()), first)
    new = fill(range(first, first + 3))
    store.faults.begin()
    done = score(IN, OUT, model=model, incremental=True)
    assert (done.rows_out, done.files["scored"]) == (sum(new.values()), 3)
    read = {call for call in store.faults.calls if call.startswith("GET /bucket/in/")}
    assert read == {f"GET /bucket/in/{name}" for name in new}
    assert parts(store) == rows | new


def test_a_shard_costs_a_handful_of_requests(store, model, tmp_path):
    path = tmp_path / "one.parquet"
    pq.write_table(pa.table({"text": random_texts(60)}), path, row_group_size=10)
    store.put("in/one.parquet", path.read_bytes())
    asked = []
    for shard_rows in (60, 10):  # one shard, then six
        store.faults.begin()
        job = {"shard_rows": shard_rows, "shard": "0/1"}
        score(IN, f"{OUT}/{shard_rows}", model=model, **job)
        asked.append(len(store.faults.calls))
    assert asked[1] - asked[0] <= 5 * 6


def test_patterns_select_objects(store, rows, model, tmp_path):
    score("s3://bucket/in/year=2021/**/f?.parquet", tmp_path / "out", model=model)
    wanted = {name.removeprefix("year=2021/") for name in rows if name.startswith("year=2021/")}
    found = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.parquet")}
    assert found == wanted
    with pytest.raises(InputNotFoundError, match=r"no input file in s3://bucket/in/\*\.jsonl"):
        score("s3://bucket/in/*.jsonl", tmp_path / "none", model=model)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl"])
def test_text_formats_stream_from_a_store(name, store, model, tmp_path):
    data = b"text\n" + b"refund card\n" * 30_000
    if name.endswith("jsonl"):
        data = b'{"text": "refund card"}\n' * 30_000
    if name.endswith("gz"):
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "gzip") as file:
            file.write(data)
        data = sink.getvalue().to_pybytes()
    store.put(name, data)
    store.faults.begin()
    done = score(f"s3://bucket/{name}", tmp_path / "out.parquet", model=model)
    assert done.rows_out == 30_000
    assert len([call for call in store.faults.calls if call.startswith("GET")]) < 12


def test_a_wide_file_is_read_in_few_requests(store, tmp_path):
    table = pa.table({f"c{n}": [float(n)] * 2000 for n in range(200)} | {"text": ["refund"] * 2000})
    pq.write_table(table, tmp_path / "wide.parquet", row_group_size=500)
    store.put("wide.parquet", (tmp_path / "wide.parquet").read_bytes())
    for columns, most in ((["c7", "text"], 2 * 4), (table.column_names, 2 * 4)):
        source = open_source(location_of("s3://bucket/wide.parquet"))
        store.faults.begin()
        batches = list(source.batches(columns, 1000))
        assert sum(batch.num_rows for batch in batches) == 2000
        assert len([call for call in store.faults.calls if call.startswith("GET")]) <= most


def test_a_model_is_fetched_once_and_verified_as_ever(store, input_file, model, tmp_path):
    store.put_folder(model, "models/one")
    job = {"model": "s3://bucket/models/one", "if_exists": "replace"}
    score(input_file, tmp_path / "out.parquet", **job)
    store.faults.begin()
    score(input_file, tmp_path / "out.parquet", **job)
    assert {call for call in store.faults.calls if call.startswith("GET")} == {
        "GET /bucket/models/one/manifest.json"
    }
    (copy,) = (tmp_path / "cache" / "textbatch" / "models").iterdir()
    (copy / "labels.json").write_text("[]")  # mended by fetching it again
    score(input_file, tmp_path / "out.parquet", **job)
    store.put("models/one/labels.json", b"[]")
    (copy / "labels.json").write_text("[]")
    with pytest.raises(BundleError, match=r"labels\.json"):
        score(input_file, tmp_path / "out.parquet", **job)
    with pytest.raises(BundleError, match="there is no model at s3://bucket/models/none"):
        score(input_file, tmp_path / "o.parquet", model="s3://bucket/models/none")
    manifest = json.loads((model / "manifest.json").read_text())
    for change in ({"files": {"../x": {"size": 1}}}, {"files": {"x": {"size": -1}}}, {"files": 3}):
        store.put("models/one/manifest.json", json.dumps(manifest | change).encode())
        with pytest.raises(BundleError, match=r"malformed manifest\.json"):
            score(input_file, tmp_path / "out.parquet", **job)


def test_what_is_missing_denied_or_gone_has_its_own_class(store, rows, model, tmp_path):
    for path in ("s3://bucket/none.parquet", "s3://no-such-bucket/in.parquet", "s3://no-bucket/d/"):
        with pytest.raises(InputNotFoundError):
            score(path, tmp_path / "out.parquet", model=model)
    store.faults.denied = True
    with pytest.raises(AccessError, match="access denied; check the credentials"):
        score("s3://bucket/in", tmp_path / "out", model=model)
    with pytest.raises(AccessError):
        score(tmp_path / "in", OUT, model=model)
    store.faults.denied = False
    assert store.keys("out") == []


@pytest.mark.parametrize("code", ["AuthorizationFailure", "AuthenticationFailed"])
def test_a_key_that_azure_refuses_is_not_tried_again(code):
    place = location_of("abfs://container/a.parquet")
    error = RuntimeError(f"Server failed to authenticate the request.\nErrorCode:{code}")
    assert isinstance(classified(error, place, "cannot read"), AccessError)


def test_azure_is_read_and_written_with_one_library(monkeypatch):
    asked = []

    def filesystem(scheme, **options):
        asked.append(scheme)
        return LocalFileSystem()

    monkeypatch.setattr("fsspec.filesystem", filesystem)
    _file_io.cache_clear()
    assert not new_input(location_of("abfs://no-such-container/a.parquet")).exists()
    _file_io.cache_clear()
    assert asked == ["abfs"]


def test_a_store_that_stays_down_ends_the_job_with_try_again(store, rows, model, monkeypatch):
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "1")
    store.faults.begin("503", first=30, count=10**6)
    with pytest.raises(TryAgainError, match="does not answer or fails"):
        score(IN, OUT, model=model)
    store.faults.begin()
    assert "out/_SUCCESS" not in store.keys("out")
    for key in store.keys("out"):
        assert key.removeprefix("out/") in rows
    finished = len(parts(store))
    done = score(IN, OUT, model=model)
    # The last one may have come without the store's saying so, and is then uploaded once more.
    assert finished - 1 <= done.files["resumed"] <= finished
    assert parts(store) == rows


def test_input_and_output_that_overlap_in_a_store(store, rows, model):
    from textbatch.errors import ConflictError

    for output in ("s3://bucket/in/out", "s3://bucket"):
        with pytest.raises(ConflictError, match="lies in the"):
            score(IN, output, model=model, if_exists="replace")


def test_damaged_objects_are_malformed_input_not_a_failing_store(store, model, tmp_path):
    write_texts(tmp_path / "a.parquet", random_texts(500))
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    store.put("cut.parquet", bytes(data[: len(data) // 2]))
    store.put("empty.parquet", b"")
    for name in ("cut", "empty"):
        with pytest.raises(DataError):
            score(f"s3://bucket/{name}.parquet", tmp_path / "out.parquet", model=model)


def test_a_false_fingerprint_does_not_evict_a_good_model(store, input_file, model, tmp_path):
    store.put_folder(model, "good")
    score(input_file, tmp_path / "out.parquet", model="s3://bucket/good")
    store.put_folder(model, "bad")
    store.put("bad/labels.json", b"[]")
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["files"]["labels.json"]["size"] = 2
    store.put("bad/manifest.json", json.dumps(manifest).encode())
    with pytest.raises(BundleError):
        score(input_file, tmp_path / "other.parquet", model="s3://bucket/bad")
    store.faults.begin()
    score(input_file, tmp_path / "out.parquet", model="s3://bucket/good", if_exists="replace")
    gets = {call for call in store.faults.calls if call.startswith("GET")}
    assert gets == {"GET /bucket/good/manifest.json"}


def test_a_model_is_not_fetched_beyond_what_its_manifest_tells(store, input_file, model, tmp_path):
    store.put_folder(model, "large")
    store.put("large/labels.json", b"[]" * 1_000_000)
    store.faults.begin()
    with pytest.raises(BundleError, match=r"labels\.json has another size than its manifest tells"):
        score(input_file, tmp_path / "out.parquet", model="s3://bucket/large")
    assert "GET /bucket/large/labels.json" not in store.faults.calls
