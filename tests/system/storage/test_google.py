"""Google Cloud Storage, as its emulator speaks it."""

from __future__ import annotations

import json
import socket
import urllib.parse
import urllib.request
from itertools import cycle, product
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, random_texts, run_cli, write_bundle
from support.faulty_proxy import KINDS, REQUEST_SECONDS, Proxy
from support.google_conditions import Conditions
from support.killable_job import FULL
from support.releases import check_releases

from textbatch.data.storage import google_store, remote
from textbatch.data.storage.file_io import _file_io
from textbatch.data.storage.location import location_of
from textbatch.errors import TryAgainError
from textbatch.scoring.releases.folder import ReleaseFolder, promoted
from textbatch.scoring.releases.options import PromoteConfig
from textbatch.scoring.releases.promote import promote

pytest.importorskip("google.cloud.storage", reason="no client of Google is installed")
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
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    _file_io.cache_clear()
    yield address
    _file_io.cache_clear()


def put(address, name, data):
    url = f"{address}/upload/storage/v1/b/bucket/o?uploadType=media&name={name.replace('/', '%2F')}"
    request = urllib.request.Request(url, data, method="POST")
    urllib.request.urlopen(request).close()


def names(address):
    with urllib.request.urlopen(f"{address}/storage/v1/b/bucket/o") as answer:
        return {item["name"] for item in json.load(answer).get("items", [])}


def stored(address, name):
    url = f"{address}/storage/v1/b/bucket/o/{urllib.parse.quote(name, safe='')}?alt=media"
    with urllib.request.urlopen(url) as answer:
        return pq.read_table(pa.BufferReader(answer.read()))


def table(seed):
    return pa.table({"id": list(range(300)), "text": random_texts(300, seed=seed)})


def parquet(rows):
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink)
    return sink.getvalue().to_pybytes()


def test_a_folder_goes_from_google_to_google(google, model, in_process, tmp_path):
    for path in model.iterdir():
        put(google, f"model/{path.name}", path.read_bytes())
    for number in range(3):
        put(google, f"in/day={number}/part.parquet", parquet(table(number)))
    words = ["score", "gs://bucket/in/", "gs://bucket/out/", "--model", "gs://bucket/model"]
    run = in_process(*words, "--report", "gs://bucket/report.json")
    assert run.returncode == 0, run.stderr
    parts = {f"out/day={number}/part.parquet" for number in range(3)}
    assert {*parts, "out/_SUCCESS", "report.json"} <= names(google)
    assert in_process("verify", "gs://bucket/out/").returncode == 0
    put(google, "in/day=3/part.parquet", parquet(table(3)))
    run = in_process(*words, "--incremental", "--report", str(tmp_path / "report.json"))
    assert run.returncode == 0, run.stderr
    assert json.loads((tmp_path / "report.json").read_text())["rows_in"] == 300

    # The very answers of a local job.
    pq.write_table(table(3), tmp_path / "in.parquet")
    in_process(
        "score", str(tmp_path / "in.parquet"), str(tmp_path / "out.parquet"), "--model", str(model)
    )
    assert (
        stored(google, "out/day=3/part.parquet").to_pylist()
        == pq.read_table(tmp_path / "out.parquet").to_pylist()
    )


def test_what_is_missing_or_there_already_has_its_own_class(google, model, in_process):
    put(google, "one.parquet", parquet(table(0)))
    put(google, "taken.parquet", b"mine")
    one, flag = "gs://bucket/one.parquet", ["--model", str(model)]
    assert (
        in_process("score", "gs://bucket/none.parquet", "gs://bucket/x.parquet", *flag).returncode
        == 68
    )
    assert in_process("score", one, "gs://bucket/taken.parquet", *flag).returncode == 73
    run = in_process("score", one, "gs://bucket/taken.parquet", *flag, "--overwrite")
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


@pytest.fixture
def proxy(google, monkeypatch):
    """The emulator with a proxy before it that fails."""
    port = int(google.rpartition(":")[2])
    found = Proxy(port)
    found.conditions = Conditions(port)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{found.port}")
    monkeypatch.setenv("TEXTBATCH_REQUEST_SECONDS", str(REQUEST_SECONDS))
    _file_io.cache_clear()
    yield found
    found.close()
    _file_io.cache_clear()


FILES = {
    "flip.parquet": lambda: parquet(table(7)),
    "flip.csv": lambda: b"id,text\n" + b"".join(b"%d,refund %d\n" % (n, n) for n in range(300)),
}


@pytest.mark.parametrize("block", [None, 1000], ids=["whole", "pieces"])
@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_of_a_body_is_never_an_answer(
    name, block, google, proxy, model, in_process, tmp_path, monkeypatch
):
    if block:
        monkeypatch.setattr(remote, "_BLOCK_BYTES", block)
    put(google, name, FILES[name]())
    line = ("score", f"gs://bucket/{name}", "--model", model)
    proxy.flip()
    assert in_process(*line[:2], tmp_path / "a.parquet", *line[2:]).returncode == 0
    bodies = proxy.bodies
    assert bodies
    for number in range(1, bodies + 1):
        proxy.flip(number)
        out = tmp_path / f"{number}.parquet"
        done = in_process(*line[:2], out, *line[2:])
        assert proxy.flipped == 1
        if done.returncode == 0:
            assert pq.read_table(out).equals(pq.read_table(tmp_path / "a.parquet"))
        else:
            # The checksum of pieces is known at the end; a reader may find them damaged first.
            assert block
            assert done.returncode in (65, 75), done.stderr
            assert not out.exists()
    proxy.flip(1, 10**6)
    out = tmp_path / "never.parquet"
    done = in_process(*line[:2], out, *line[2:], TEXTBATCH_RETRY_SECONDS="0.2")
    assert done.returncode in ((65, 75) if block else (75,)), done.stderr
    assert not out.exists()


@pytest.mark.parametrize("size", [10, 32_000], ids=["whole", "pieces"])
def test_what_is_flipped_on_its_way_to_the_store_is_refused_and_sent_again(
    size, google, proxy, model, in_process, tmp_path, monkeypatch
):
    monkeypatch.setattr(google_store, "PIECE_BYTES", 5 << 20)
    monkeypatch.setenv("TEXTBATCH_REQUEST_SECONDS", "10")
    blobs = pa.array([Random(number).randbytes(size) for number in range(300)])
    pq.write_table(table(8).append_column("blob", blobs), tmp_path / "in.parquet")
    line = ("score", tmp_path / "in.parquet", f"gs://bucket/flip{size}.parquet", "--model", model)
    proxy.flip()
    assert in_process(*line).returncode == 0
    bodies = proxy.bodies
    assert bodies == (1 if size == 10 else 2)
    for number in range(1, bodies + 1):
        proxy.flip(number)
        done = in_process(*line, "--overwrite")
        assert done.returncode == 0, done.stderr
        assert proxy.flipped == 1
        proxy.flip()
        assert in_process("verify", line[2]).returncode == 0
    other = f"gs://bucket/other{size}.parquet"
    proxy.flip(1, 10**6)
    done = in_process(*line[:2], other, *line[3:], TEXTBATCH_RETRY_SECONDS="0.2")
    assert done.returncode == 75, done.stderr
    assert f"other{size}.parquet" not in names(google)


NEGATIVE = pa.array([*range(-1, -301, -1)])
#: A job makes a dozen calls.
CALLS = range(1, 21) if FULL else (3, 7)
CASES = [*product(KINDS, CALLS)] if FULL else [*zip(KINDS, cycle(CALLS), strict=False)]


@pytest.mark.parametrize(("kind", "call"), CASES)
def test_a_failing_call_gives_the_right_rows_or_none(
    kind, call, google, proxy, model, in_process, tmp_path
):
    put(google, "fault.parquet", parquet(table(9)))
    key = f"{tmp_path.name}-{kind}-{call}.parquet"
    proxy.faults.begin(kind, first=call)
    done = in_process("score", "gs://bucket/fault.parquet", f"gs://bucket/{key}", "--model", model)
    proxy.faults.begin()
    assert done.returncode in (0, 65, 75), done.stderr
    assert (key in names(google)) == (done.returncode == 0)
    if done.returncode == 0:
        assert stored(google, key)["id"].to_pylist() == [*range(300)]


def test_each_read_and_each_write_has_a_condition(google, proxy, model, in_process, monkeypatch):
    monkeypatch.setattr(remote, "_BLOCK_BYTES", 4000)
    put(google, "read.parquet", parquet(table(2)))
    line = ("score", "gs://bucket/read.parquet", "gs://bucket/written.parquet", "--model", model)
    assert in_process(*line, "--overwrite").returncode == 0
    calls = [call for call in proxy.faults.calls if "/read.parquet?" in call or "POST" in call]
    assert proxy.conditions.refused == 0
    media = [call for call in proxy.faults.calls if "alt=media" in call or call.startswith("POST")]
    assert len(media) > 3
    assert proxy.conditions.asked == len(media), calls


@pytest.mark.parametrize("name", ["fault.csv", "fault.parquet"])
@pytest.mark.parametrize("call", CALLS)
def test_an_object_that_is_replaced_while_it_is_read_gives_no_mixed_rows(
    call, name, google, proxy, model, in_process, tmp_path, monkeypatch
):
    monkeypatch.setattr(remote, "_BLOCK_BYTES", 1000)
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "2")
    lines = b"id,text\n" + b"".join(b"%d,refund %d\n" % (-n, n) for n in range(1, 301))
    others = {"fault.csv": lines, "fault.parquet": parquet(table(9).set_column(0, "id", NEGATIVE))}
    put(google, name, FILES[f"flip{name.removeprefix('fault')}"]())
    proxy.replace = lambda: put(google, name, others[name])
    proxy.faults.begin("replaced", first=call)
    out = tmp_path / "out.parquet"
    done = in_process("score", f"gs://bucket/{name}", out, "--model", model)
    # Each read has the generation of the first look as its condition.
    reads = ["alt=media" in one for one in proxy.faults.calls]
    if any(reads[: call - 1]) and any(reads[call:]):
        assert done.returncode == 65, done.stderr
        assert "while it was" in done.stderr  # replaced, or changed
        assert proxy.conditions.refused
    assert done.returncode in (0, 65), done.stderr
    assert out.exists() == (done.returncode == 0)
    if done.returncode == 0:
        rows = [int(value) for value in pq.read_table(out)["id"].to_pylist()]
        assert rows in ([*range(300)], [*range(-1, -301, -1)])


def test_an_upload_never_replaces_what_came_meanwhile(google, proxy, model, in_process, tmp_path):
    class Late(Conditions):
        def __call__(self, method: str, path: str, body: bytes) -> int:
            if method == "POST":
                put(google, "late.parquet", b"mine")
            return super().__call__(method, path, body)

    pq.write_table(table(8), tmp_path / "in.parquet")
    proxy.conditions = Late(int(google.rpartition(":")[2]))
    out = "gs://bucket/late.parquet"
    done = in_process("score", tmp_path / "in.parquet", out, "--model", model)
    assert done.returncode == 73, done.stderr
    assert proxy.conditions.refused == 1
    url = f"{google}/storage/v1/b/bucket/o/late.parquet?alt=media"
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"mine"


def test_releases_are_promoted_and_rolled_back(google, tmp_path, monkeypatch):
    check_releases("gs://bucket/releases", tmp_path, monkeypatch)


def test_the_store_refuses_a_record_of_releases_that_came_between_look_and_upload(
    google, proxy, tmp_path
):
    record = "raced/current.json"
    url = f"{google}/storage/v1/b/bucket/o/{urllib.parse.quote(record, safe='')}?alt=media"

    def standing() -> bytes:
        with urllib.request.urlopen(url) as answer:
            return answer.read()

    class Late(Conditions):
        def __call__(self, method: str, path: str, body: bytes) -> int:
            if method == "POST" and not self.refused:
                put(google, record, standing() + b"\n")
            return super().__call__(method, path, body)

    to, models = location_of("gs://bucket/raced"), [tmp_path / "m0", tmp_path / "m1"]
    for seed, model in enumerate(models):
        write_bundle(model, random_bundle(seed=seed))
    promote(PromoteConfig(model=models[0], to=to, threads=1))
    folder, before = ReleaseFolder(to), standing()
    version = folder.add(models[1])
    proxy.conditions = Late(int(google.rpartition(":")[2]))
    with pytest.raises(TryAgainError, match="another run has written"):
        folder.record(promoted(folder.releases, version, keep=5))
    assert (proxy.conditions.refused, standing()) == (1, before + b"\n")
