"""Hugging Face, as a server of the tests speaks its HTTP, and with a proxy before it that fails."""

from __future__ import annotations

import io
from itertools import cycle, product

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts
from support.faulty_proxy import KINDS, REQUEST_SECONDS, Proxy
from support.hub import REPO, Hub
from support.killable_job import FULL

from textbatch.data.storage import remote
from textbatch.data.storage.file_io import _file_io

hf = pytest.importorskip("huggingface_hub", reason="no client of the hub is installed")
constants = pytest.importorskip("huggingface_hub.constants")

PLACE = f"hf://datasets/{REPO}"
ROWS = 200
#: Calls 5 to 10 read, the later ones write.
CALLS = range(1, 21) if FULL else (6, 12)
CASES = [*product(KINDS, CALLS)] if FULL else [*zip(KINDS, cycle(CALLS), strict=False)]


def parquet(first: int = 0) -> bytes:
    sink = io.BytesIO()
    rows = {"id": [*range(first, first + ROWS)], "text": random_texts(ROWS, seed=5)}
    pq.write_table(pa.table(rows), sink)
    return sink.getvalue()


def csv(sign: int = 1) -> bytes:
    return b"id,text\n" + b"".join(b"%d,refund %d\n" % (sign * n, n) for n in range(1, ROWS + 1))


@pytest.fixture(scope="module")
def server():
    hub = Hub()
    proxy = Proxy(hub.port)
    yield hub, proxy
    proxy.close()
    hub.close()


@pytest.fixture
def proxy(server):
    return server[1]


@pytest.fixture
def hub(server, monkeypatch, tmp_path):
    found, proxy = server
    found.files.clear()
    found.large.clear()
    found.files["in.parquet"] = parquet()
    proxy.faults.begin()
    address = f"http://127.0.0.1:{proxy.port}"
    # What HF_ENDPOINT and its like decide when the library is imported.
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        address + template.removeprefix(constants.ENDPOINT),
    )
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", REQUEST_SECONDS)
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", REQUEST_SECONDS)
    monkeypatch.setenv("HF_TOKEN", "none")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TEXTBATCH_REQUEST_SECONDS", str(REQUEST_SECONDS))
    forget()
    yield found
    proxy.faults.begin()
    forget()


def forget() -> None:
    hf.HfFileSystem.clear_instance_cache()
    _file_io.cache_clear()


def rows_of(hub, name) -> list[int]:
    return pq.read_table(io.BytesIO(hub.files[name]))["id"].to_pylist()


def test_a_folder_goes_from_the_hub_to_the_hub(hub, model, in_process, tmp_path):
    for path in model.iterdir():
        hub.files[f"model/{path.name}"] = path.read_bytes()
    for number in range(3):
        hub.files[f"in/day={number}/part.parquet"] = parquet(number)
    line = ("score", f"{PLACE}/in/", f"{PLACE}/out/", "--model", f"{PLACE}/model")
    done = in_process(*line)
    assert done.returncode == 0, done.stderr
    parts = {f"out/day={number}/part.parquet" for number in range(3)}
    found = {name for name in hub.files if name.startswith("out/")}
    assert found == {"out/_SUCCESS", "out/_manifest.jsonl", *parts}
    assert in_process("verify", f"{PLACE}/out/").returncode == 0
    (tmp_path / "in.parquet").write_bytes(parquet(1))
    in_process("score", tmp_path / "in.parquet", tmp_path / "out.parquet", "--model", model)
    stored = pq.read_table(io.BytesIO(hub.files["out/day=1/part.parquet"]))
    assert stored.equals(pq.read_table(tmp_path / "out.parquet"))


def test_what_is_missing_or_there_already_has_its_own_class(hub, model, in_process):
    hub.files["taken.parquet"] = b"mine"
    words = ("--model", model)
    one = f"{PLACE}/in.parquet"
    none, nowhere = f"{PLACE}/none.parquet", "hf://datasets/tester/nowhere/none.parquet"
    assert in_process("score", none, "x.parquet", *words).returncode == 68
    assert in_process("score", nowhere, "x.parquet", *words).returncode == 68
    taken = f"{PLACE}/taken.parquet"
    assert in_process("score", one, taken, *words).returncode == 73
    assert hub.files["taken.parquet"] == b"mine"
    done = in_process("score", one, taken, *words, "--overwrite")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("kind", "call"), CASES)
def test_a_failing_call_gives_the_right_rows_or_none(kind, call, hub, proxy, model, in_process):
    out = f"{kind}-{call}.parquet"
    proxy.faults.begin(kind, first=call)
    done = in_process("score", f"{PLACE}/in.parquet", f"{PLACE}/{out}", "--model", model)
    proxy.faults.begin()
    assert done.returncode in (0, 65, 75), done.stderr
    if done.returncode:
        assert out not in hub.files
    else:
        assert rows_of(hub, out) == [*range(ROWS)]


@pytest.mark.parametrize("kind", ["500", "reset"])
def test_a_store_that_stays_down_ends_the_job_with_75(kind, hub, proxy, model, in_process):
    proxy.faults.begin(kind, first=3, count=10**6)
    line = ("score", f"{PLACE}/in.parquet", f"{PLACE}/out.parquet", "--model", model)
    done = in_process(*line, TEXTBATCH_RETRY_SECONDS="0.2")
    proxy.faults.begin()
    assert done.returncode == 75, done.stderr
    assert "out.parquet" not in hub.files


@pytest.mark.parametrize("call", CALLS if FULL else (3, 4, 6))
def test_an_object_that_is_replaced_while_it_is_read_gives_no_mixed_rows(
    call, hub, proxy, model, in_process, tmp_path, monkeypatch
):
    monkeypatch.setattr(remote, "_BLOCK_BYTES", 500)
    hub.files["in.csv"] = csv()
    proxy.replace = lambda: hub.files.update({"in.csv": csv(-1)})
    proxy.faults.begin("replaced", first=call)
    out = tmp_path / "out.parquet"
    done = in_process("score", f"{PLACE}/in.csv", out, "--model", model)
    assert done.returncode in (0, 65, 75), done.stderr
    assert out.exists() == (done.returncode == 0)
    if done.returncode == 0:
        rows = [int(value) for value in pq.read_table(out)["id"].to_pylist()]
        assert rows in ([*range(1, ROWS + 1)], [*range(-1, -ROWS - 1, -1)])


@pytest.mark.parametrize("block", [None, 500], ids=["whole", "pieces"])
@pytest.mark.parametrize("name", ["in.parquet", "in.csv"])
def test_a_flipped_bit_of_a_body_is_never_an_answer(
    name, block, hub, proxy, model, in_process, tmp_path, monkeypatch
):
    if block:
        monkeypatch.setattr(remote, "_BLOCK_BYTES", block)
    hub.files["in.csv"] = csv()
    line = ("score", f"{PLACE}/{name}", "--model", model)
    proxy.flip()
    assert in_process(*line[:2], tmp_path / "a.parquet", *line[2:]).returncode == 0
    assert proxy.bodies
    for number in {1, proxy.bodies // 2 + 1, proxy.bodies}:
        proxy.flip(number)
        out = tmp_path / f"{number}.parquet"
        done = in_process(*line[:2], out, *line[2:])
        assert proxy.flipped == 1
        if name == "in.parquet" and block:
            # Pieces of Parquet have no sum, but what the file itself has.
            assert done.returncode in (0, 65), done.stderr
        elif done.returncode == 0:
            # Asked for again, or a first look at the beginning alone.
            assert pq.read_table(out).equals(pq.read_table(tmp_path / "a.parquet"))
        else:
            assert done.returncode in (65, 75), done.stderr
            assert not out.exists()
    proxy.flip()
