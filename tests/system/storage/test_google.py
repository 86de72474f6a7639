"""Google Cloud Storage, as its emulator speaks it: read through Arrow, written through gcsfs."""

from __future__ import annotations

import json
import socket
import urllib.request

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, run_cli

pytest.importorskip("gcsfs", reason="gcsfs is not installed")
emulator = pytest.importorskip("gcp_storage_emulator.server", reason="no emulator is installed")


@pytest.fixture(scope="module")
def address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="bucket")
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def google(address, monkeypatch, tmp_path):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
    # Does not ask over gRPC, which the emulator does not speak, what kind of bucket it is.
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return address


def put(address, name, data):
    url = f"{address}/upload/storage/v1/b/bucket/o?uploadType=media&name={name.replace('/', '%2F')}"
    request = urllib.request.Request(url, data, method="POST")
    urllib.request.urlopen(request).close()


def names(address):
    with urllib.request.urlopen(f"{address}/storage/v1/b/bucket/o") as answer:
        return {item["name"] for item in json.load(answer).get("items", [])}


def table(seed):
    return pa.table({"id": list(range(300)), "text": random_texts(300, seed=seed)})


def parquet(rows):
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink)
    return sink.getvalue().to_pybytes()


def test_a_folder_goes_from_google_to_google(google, model, tmp_path):
    for path in model.iterdir():
        put(google, f"model/{path.name}", path.read_bytes())
    for number in range(3):
        put(google, f"in/day={number}/part.parquet", parquet(table(number)))
    words = ["score", "gs://bucket/in/", "gs://bucket/out/", "--model", "gs://bucket/model"]
    run = run_cli(*words, "--report", "gs://bucket/report.json")
    assert run.returncode == 0, run.stderr
    parts = {f"out/day={number}/part.parquet" for number in range(3)}
    assert {*parts, "out/_SUCCESS", "report.json"} <= names(google)
    assert run_cli("verify", "gs://bucket/out/").returncode == 0
    put(google, "in/day=3/part.parquet", parquet(table(3)))
    run = run_cli(*words, "--incremental", "--report", str(tmp_path / "report.json"))
    assert run.returncode == 0, run.stderr
    assert json.loads((tmp_path / "report.json").read_text())["rows_in"] == 300

    # The very answers of a local job.
    pq.write_table(table(3), tmp_path / "in.parquet")
    run_cli(
        "score", str(tmp_path / "in.parquet"), str(tmp_path / "out.parquet"), "--model", str(model)
    )
    url = f"{google}/storage/v1/b/bucket/o/out%2Fday%3D3%2Fpart.parquet?alt=media"
    with urllib.request.urlopen(url) as answer:
        scored = pq.read_table(pa.BufferReader(answer.read()))
    assert scored.to_pylist() == pq.read_table(tmp_path / "out.parquet").to_pylist()


def test_what_is_missing_or_there_already_has_its_own_class(google, model):
    put(google, "one.parquet", parquet(table(0)))
    put(google, "taken.parquet", b"mine")
    one, flag = "gs://bucket/one.parquet", ["--model", str(model)]
    assert (
        run_cli("score", "gs://bucket/none.parquet", "gs://bucket/x.parquet", *flag).returncode
        == 68
    )
    assert run_cli("score", one, "gs://bucket/taken.parquet", *flag).returncode == 73
    run = run_cli("score", one, "gs://bucket/taken.parquet", *flag, "--overwrite")
    assert run.returncode == 0, run.stderr


def test_a_store_that_does_not_answer_ends_the_job_with_try_again(google, model, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "1")
    monkeypatch.setenv("TEXTBATCH_REQUEST_SECONDS", "1")
    run = run_cli(
        "score", "gs://bucket/one.parquet", "gs://bucket/x.parquet", "--model", str(model)
    )
    assert run.returncode == 75, run.stderr


def test_without_credentials_the_job_says_so(model, monkeypatch, tmp_path):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    # Where they would come from on a machine of Google's.
    monkeypatch.setenv("GCE_METADATA_ROOT", "127.0.0.1:9")
    monkeypatch.setenv("TEXTBATCH_REQUEST_SECONDS", "1")
    run = run_cli("score", "gs://bucket/in/", "gs://bucket/out/", "--model", str(model))
    assert run.returncode == 77, run.stderr
    assert "credentials" in run.stderr
