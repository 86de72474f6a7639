"""Azure, as Azurite speaks its protocol, and with a proxy before it that fails."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from azure.storage.blob import BlobServiceClient
from pyarrow import csv
from support.azurite import KEY, azurite, connection_to, is_there
from support.bundles import random_texts
from support.faulty_proxy import KINDS, REQUEST_SECONDS, Proxy
from support.killable_job import FULL
from support.releases import check_releases

from textbatch.data.storage.file_io import _file_io

#: A job makes 20 calls: 15 to 17 read, and 19 writes.
CALLS = range(1, 21) if FULL else (4, 15, 19)
ROWS = 200

pytestmark = pytest.mark.skipif(
    not (os.environ.get("TEXTBATCH_TEST_AZURE") and is_there()),
    reason="needs Azurite: `make test-azure`",
)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    with azurite(tmp_path_factory.mktemp("azurite")) as port:
        proxy = Proxy(port)
        yield proxy
        proxy.close()


@pytest.fixture
def azure(proxy, monkeypatch, tmp_path):
    proxy.faults.begin()
    proxy.flip()
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection_to(proxy.port))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TEXTBATCH_REQUEST_SECONDS", str(REQUEST_SECONDS))
    _file_io.cache_clear()
    found = fsspec.filesystem("abfs", use_listings_cache=False)
    if not found.exists("bucket"):
        found.mkdir("bucket")
    for path in found.find("bucket"):
        found.rm_file(path)
    yield found
    proxy.faults.begin()
    _file_io.cache_clear()


@pytest.fixture
def out(tmp_path) -> str:
    """A key of this test's own: what an earlier job of this process gave up may still arrive."""
    return f"{tmp_path.name}.parquet"


@pytest.fixture
def source(azure, tmp_path) -> Path:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"id": [*range(ROWS)], "text": random_texts(ROWS, seed=4)}), path)
    azure.put_file(str(path), "bucket/in.parquet")
    return path


def table(azure, key) -> pa.Table:
    return pq.read_table(pa.BufferReader(azure.cat_file(f"bucket/{key}")))


def test_a_folder_goes_from_azure_to_azure(azure, source, model, in_process, tmp_path):
    for path in model.iterdir():
        azure.put_file(str(path), f"bucket/model/{path.name}")
    for number in range(3):
        azure.put_file(str(source), f"bucket/in/day={number}/part.parquet")
    done = in_process(
        "score", "abfs://bucket/in/", "abfs://bucket/out/", "--model", "abfs://bucket/model"
    )
    assert done.returncode == 0, done.stderr
    parts = [f"bucket/out/day={number}/part.parquet" for number in range(3)]
    assert azure.find("bucket/out") == ["bucket/out/_SUCCESS", "bucket/out/_manifest.jsonl", *parts]
    assert in_process("verify", "abfs://bucket/out/").returncode == 0
    in_process("score", source, tmp_path / "local.parquet", "--model", model)
    assert table(azure, "out/day=1/part.parquet").equals(pq.read_table(tmp_path / "local.parquet"))


def test_what_is_missing_or_there_already_has_its_own_class(azure, source, model, in_process):
    azure.pipe_file("bucket/taken.parquet", b"mine")
    words = ("--model", model)
    one = "abfs://bucket/in.parquet"
    assert in_process("score", "abfs://bucket/none.parquet", "x.parquet", *words).returncode == 68
    assert in_process("score", "abfs://nowhere/none.csv", "x.parquet", *words).returncode == 68
    taken = "abfs://bucket/taken.parquet"
    assert in_process("score", one, taken, *words).returncode == 73
    assert azure.cat_file("bucket/taken.parquet") == b"mine"
    assert in_process("score", one, taken, *words, "--overwrite").returncode == 0


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_failing_call_gives_the_right_rows_or_none(
    kind, call, azure, proxy, source, out, model, in_process
):
    proxy.faults.begin(kind, first=call)
    done = in_process("score", "abfs://bucket/in.parquet", f"abfs://bucket/{out}", "--model", model)
    proxy.faults.begin()
    assert done.returncode in (0, 65, 75), done.stderr
    if done.returncode:
        assert not azure.exists(f"bucket/{out}")
    else:
        assert table(azure, out)["id"].to_pylist() == [*range(ROWS)]


@pytest.mark.parametrize("kind", ["500", "reset", "drip"])
def test_a_store_that_stays_down_ends_the_job_with_75(
    kind, azure, proxy, source, out, model, in_process
):
    proxy.faults.begin(kind, first=3, count=10**6)
    line = ("score", "abfs://bucket/in.parquet", f"abfs://bucket/{out}", "--model", model)
    done = in_process(*line, TEXTBATCH_RETRY_SECONDS="0.2")
    proxy.faults.begin()
    assert done.returncode == 75, done.stderr
    assert not azure.exists(f"bucket/{out}")


@pytest.mark.parametrize("call", CALLS)
def test_an_object_that_is_replaced_while_it_is_read_gives_no_mixed_rows(
    call, azure, proxy, source, out, model, in_process, tmp_path, monkeypatch
):
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "2")
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"id": [*range(-ROWS, 0)], "text": ["refund"] * ROWS}), other)
    proxy.replace = lambda: azure.put_file(str(other), "bucket/in.parquet")
    proxy.faults.begin("replaced", first=call)
    done = in_process("score", "abfs://bucket/in.parquet", f"abfs://bucket/{out}", "--model", model)
    proxy.faults.begin()
    assert done.returncode in (0, 65), done.stderr
    assert azure.exists(f"bucket/{out}") == (done.returncode == 0)
    if done.returncode == 0:
        rows = table(azure, out)["id"].to_pylist()
        assert rows in ([*range(ROWS)], [*range(-ROWS, 0)])


@pytest.mark.parametrize("name", ["in.parquet", "in.csv", "in.jsonl"])
def test_a_flipped_bit_of_a_body_is_asked_for_again(
    name, azure, proxy, model, in_process, tmp_path
):
    put_all_formats(azure, tmp_path)
    line = ("score", f"abfs://bucket/{name}", "--model", model)
    proxy.flip()
    assert in_process(*line[:2], tmp_path / "a.parquet", *line[2:]).returncode == 0
    bodies = proxy.bodies
    assert bodies
    for number in range(1, bodies + 1):
        proxy.flip(number)
        out = tmp_path / f"{number}.parquet"
        done = in_process(*line[:2], out, *line[2:])
        assert done.returncode == 0, done.stderr
        assert (proxy.flipped, proxy.bodies) == (1, bodies + 1)
        assert pq.read_table(out).equals(pq.read_table(tmp_path / "a.parquet"))
    proxy.flip(1, 10**6)
    out = tmp_path / "never.parquet"
    done = in_process(*line[:2], out, *line[2:], TEXTBATCH_RETRY_SECONDS="0.2")
    proxy.flip()
    assert done.returncode == 75, done.stderr
    assert not out.exists()


def put_all_formats(azure, folder: Path) -> None:
    rows = pa.table({"id": [*range(ROWS)], "text": [f"refund {n} please" for n in range(ROWS)]})
    pq.write_table(rows, folder / "in.parquet")
    csv.write_csv(rows, folder / "in.csv")
    lines = (f'{{"id": {n}, "text": "refund {n}"}}\n' for n in range(ROWS))
    (folder / "in.jsonl").write_text("".join(lines))
    for path in folder.glob("in.*"):
        azure.put_file(str(path), f"bucket/{path.name}")


def test_what_is_flipped_on_its_way_to_the_store_is_refused_and_sent_again(
    azure, proxy, source, out, model, in_process
):
    line = ("score", source, f"abfs://bucket/{out}", "--model", model)
    proxy.flip()
    assert in_process(*line).returncode == 0
    bodies = proxy.bodies
    assert bodies
    expected = table(azure, out)
    for number in range(1, bodies + 1):
        proxy.flip(number)
        done = in_process(*line, "--overwrite")
        assert done.returncode == 0, done.stderr
        assert proxy.flipped == 1
        proxy.flip()
        assert table(azure, out).equals(expected)
    azure.rm_file(f"bucket/{out}")
    proxy.flip(1, 10**6)
    done = in_process(*line, TEXTBATCH_RETRY_SECONDS="0.2")
    proxy.flip()
    assert done.returncode == 75, done.stderr
    assert not azure.exists(f"bucket/{out}")


def test_an_upload_never_replaces_what_came_meanwhile(azure, proxy, source, out, model, in_process):
    line = ("score", source, f"abfs://bucket/{out}", "--model", model)
    assert in_process(*line).returncode == 0
    azure.rm_file(f"bucket/{out}")
    proxy.faults.begin()
    assert in_process(*line).returncode == 0
    (put,) = (at for at, call in enumerate(proxy.faults.calls, 1) if call.startswith("PUT"))
    azure.rm_file(f"bucket/{out}")
    proxy.replace = lambda: azure.pipe_file(f"bucket/{out}", b"mine")
    proxy.faults.begin("replaced", first=put)
    done = in_process(*line)
    proxy.faults.begin()
    assert done.returncode == 73, done.stderr
    assert azure.cat_file(f"bucket/{out}") == b"mine"


def test_releases_are_promoted_and_rolled_back(azure, tmp_path, monkeypatch):
    check_releases("abfs://bucket/releases", tmp_path, monkeypatch)


def test_a_key_decides_no_place_on_this_machine(azure, source, model, in_process, tmp_path):
    precious = tmp_path / "precious.parquet"
    precious.write_bytes(b"precious")
    account = BlobServiceClient.from_connection_string(
        os.environ["AZURE_STORAGE_CONNECTION_STRING"]
    )
    bucket = account.get_container_client("bucket")
    for key in (f"/{precious}", "a//c.parquet", f"{'x' * 260}.parquet", "good"):
        name = f"in/{key}.parquet" if key == "good" else f"in/{key}"
        bucket.upload_blob(name, source.read_bytes())
    folder = tmp_path / "out"
    done = in_process("score", "abfs://bucket/in/", folder, "--model", model, "--overwrite")
    assert done.returncode == 0, done.stderr
    assert "objects are left out: parts of their names are empty, . or .., or too" in done.stderr
    assert {path.name for path in folder.iterdir()} == {
        "good.parquet", "_SUCCESS", "_manifest.jsonl",
    }  # fmt: skip
    assert precious.read_bytes() == b"precious"
    # A single object is its exact key.
    bucket.upload_blob("c.parquet", b"another")
    one = in_process(
        "score", "abfs://bucket/in/a//c.parquet", tmp_path / "c.parquet", "--model", model
    )
    assert one.returncode == 0, one.stderr
    assert pq.read_table(tmp_path / "c.parquet").num_rows == ROWS


def test_a_wrong_key_is_told_without_it(source, proxy, model, in_process, tmp_path, monkeypatch):
    secret = base64.b64encode(b"a key that is not the account's").decode()
    wrong = connection_to(proxy.port).replace(KEY, secret)
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", wrong)
    _file_io.cache_clear()
    kind = fsspec.get_filesystem_class("abfs")
    kind.clear_instance_cache()
    report, metrics = tmp_path / "r.json", tmp_path / "m.prom"
    done = in_process(
        *("--debug", "score", "abfs://bucket/in.parquet", tmp_path / "o.parquet", "--model", model),
        *("--json", "--report", report, "--metrics-file", metrics),
    )
    kind.clear_instance_cache()
    assert done.returncode == 77
    told = done.stdout + done.stderr + report.read_text() + metrics.read_text()
    assert secret not in told
    assert secret.rstrip("=") not in told
