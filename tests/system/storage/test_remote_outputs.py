"""Looking at outputs in an object store, and putting report and quarantine there."""

from __future__ import annotations

import json
from dataclasses import replace
from unittest.mock import MagicMock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, random_texts, write_bundle, write_texts

from textbatch import score
from textbatch.data.output.remote_folder import RemoteFolder
from textbatch.data.storage import s3_upload
from textbatch.data.storage.location import location_of
from textbatch.errors import (
    AccessError,
    BundleError,
    ConflictError,
    DataError,
    InputNotFoundError,
    OutputError,
    TryAgainError,
)
from textbatch.scoring.folder.finish import finish_output
from textbatch.scoring.inspect import inspect_path
from textbatch.scoring.verify import verify_output

OUT, FILE = "s3://bucket/out", "s3://bucket/scored.parquet"
REPORT, BAD = "s3://bucket/told/report.json", "s3://bucket/told/bad.jsonl"
#: Two rows that are no UTF-8.
BROKEN = b"text\nrefund\n\xff\xfe\nlogin\n\xff card\n"


def at(uri: str):
    return location_of(uri)


@pytest.fixture
def folder(store, model, tmp_path) -> dict[str, int]:
    """A folder of three parts that was scored into the store; rows by name."""
    rows = {}
    for number in range(3):
        name = f"year=202{number}/f{number}.parquet"
        (tmp_path / "in" / name).parent.mkdir(parents=True)
        write_texts(tmp_path / "in" / name, random_texts(20 + number, seed=number))
        rows[name] = 20 + number
    score(tmp_path / "in", OUT, model=model)
    return rows


@pytest.fixture
def work(tmp_path):
    """What is left in the work directory."""
    return lambda: [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_an_object_is_verified_and_described_as_the_file_would_be(
    store, input_file, model, tmp_path, in_process
):
    score(input_file, FILE, model=model)
    (tmp_path / "copy.parquet").write_bytes(store.get("scored.parquet"))
    for look in (verify_output, inspect_path):
        remote, local = look(at(FILE)), look(tmp_path / "copy.parquet")
        assert (remote.path, local.path) == (FILE, str(tmp_path / "copy.parquet"))
        assert replace(remote, path=local.path) == local
    shown = in_process("verify", FILE, "--model", model)
    assert shown.stdout.startswith(f"{FILE}: 500 rows, all as written by run "), shown.stderr
    shown = in_process("inspect", FILE, "--json")
    assert json.loads(shown.stdout)["path"] == FILE


def test_a_large_object_is_verified_in_few_requests(store, model, tmp_path):
    noise = pa.array([bytes(range(256)) * 400] * 300, pa.binary())
    texts = [f"refund {number}" for number in range(300)]
    table = pa.table({"text": texts, "blob": noise})
    pq.write_table(table, tmp_path / "in.parquet", compression="none", use_dictionary=False)
    score(tmp_path / "in.parquet", FILE, model=model)
    store.faults.begin()
    assert verify_output(at(FILE)).rows == 300
    assert len([call for call in store.faults.calls if call.startswith("GET")]) < 20


def test_a_folder_is_verified_and_described(store, folder, model, in_process):
    found = verify_output(at(OUT), model=model)
    assert (found.path, found.parts, found.rows) == (OUT, 3, sum(folder.values()))
    described = inspect_path(at(f"{OUT}/"))
    assert (described.parts, described.rows) == (3, sum(folder.values()))
    assert described.statuses == found.statuses
    assert {"text", "predicted_label"} <= described.columns.keys()
    assert in_process("verify", f"{OUT}/").returncode == 0
    shown = in_process("inspect", OUT)
    assert shown.returncode == 0, shown.stderr


def test_a_model_in_a_store_is_described_and_compared(store, folder, model, tmp_path):
    store.put_folder(model, "models/one")
    store.put_folder(write_bundle(tmp_path / "other", random_bundle(seed=5)), "models/other")
    here = inspect_path(model)
    found = inspect_path(at("s3://bucket/models/one"))
    assert found == replace(here, path="s3://bucket/models/one")
    verify_output(at(OUT), model=at("s3://bucket/models/one"))
    with pytest.raises(DataError, match=r"s3://bucket/out was made by model"):
        verify_output(at(OUT), model=at("s3://bucket/models/other"))


@pytest.mark.parametrize("trouble", ["bit", "cut", "lost", "other", "swapped", "manifest", "half"])
def test_a_folder_that_is_not_as_written_is_found_out(trouble, store, folder):
    first, second, _ = (f"out/{name}" for name in folder)
    data = bytearray(store.get(first))
    if trouble == "bit":
        data[len(data) // 2] ^= 1
        store.put(first, bytes(data))
    elif trouble == "cut":
        store.put(first, bytes(data[:-10]))
    elif trouble == "lost":
        store.client.delete_object(Bucket="bucket", Key=first)
    elif trouble == "other":
        store.put("out/year=2020/more.parquet", bytes(data))
    elif trouble == "swapped":
        store.put(first, store.get(second))
    elif trouble == "manifest":
        store.put("out/_manifest.jsonl", store.get("out/_manifest.jsonl") + b"{}\n")
    else:
        store.client.delete_object(Bucket="bucket", Key="out/_SUCCESS")
    with pytest.raises(DataError, match="s3://bucket/out"):
        verify_output(at(OUT))


def test_an_object_that_is_replaced_meanwhile_is_found_out(store, input_file, model, monkeypatch):
    from textbatch.scoring import verify as verification

    score(input_file, FILE, model=model)
    count = verification._count

    def counted(*arguments):
        store.put("scored.parquet", store.get("scored.parquet") + b"more")
        return count(*arguments)

    monkeypatch.setattr(verification, "_count", counted)
    with pytest.raises(DataError, match=r"was replaced while it was read|damaged"):
        verify_output(at(FILE))


def test_what_is_not_there_or_no_output_is_told_as_such(store, model, in_process):
    store.put("plain.parquet", b"PAR1")
    for look in (verify_output, inspect_path):
        with pytest.raises(InputNotFoundError, match=r"s3://bucket/none\.parquet"):
            look(at("s3://bucket/none.parquet"))
        with pytest.raises(DataError, match=r"s3://bucket/plain\.parquet"):
            look(at("s3://bucket/plain.parquet"))
    store.put("stuff/a.txt", b"x")
    with pytest.raises(BundleError, match="there is no model at s3://bucket/stuff"):
        inspect_path(at("s3://bucket/stuff"))
    assert in_process("verify", "s3://bucket/none.parquet").returncode == 68
    store.faults.denied = True
    assert in_process("inspect", "s3://bucket/none.parquet").returncode == 77


@pytest.mark.parametrize("kind", ["500", "503", "reset"])
def test_looking_at_a_failing_store_is_tried_again(kind, store, folder, monkeypatch):
    store.faults.begin(kind, first=2, count=10**6, step=4)
    assert verify_output(at(OUT)).parts == 3
    assert inspect_path(at(OUT)).parts == 3
    assert store.faults.hits > 5
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "0.2")
    store.faults.begin(kind, first=5, count=10**6)
    with pytest.raises(TryAgainError):
        verify_output(at(OUT))


def test_the_report_goes_to_a_store_after_good_and_bad_runs(
    store, input_file, model, tmp_path, in_process
):
    job = ("score", input_file, tmp_path / "out.parquet", "--model", model, "--report", REPORT)
    assert in_process(*job).returncode == 0
    told = json.loads(store.get("told/report.json"))
    assert (told["state"], told["rows_out"]) == ("done", 500)
    assert in_process(*job).returncode == 73
    told = json.loads(store.get("told/report.json"))
    assert (told["state"], told["exit_code"]) == ("failed", 73)
    done = in_process("score", tmp_path / "none.parquet", FILE, "--report", REPORT)
    assert done.returncode == 68
    assert json.loads(store.get("told/report.json"))["error"].startswith("cannot read")
    assert store.keys() == ["told/report.json"]


def test_report_and_quarantine_do_not_take_the_place_of_something_else(
    store, input_file, model, tmp_path, in_process
):
    for flag in ("report", "quarantine"):
        with pytest.raises(ConflictError, match=f"--{flag} .* is the output"):
            score(input_file, FILE, model=model, **{flag: FILE})
    with pytest.raises(ConflictError, match="which an object store does not promise"):
        score(input_file, FILE, model=model, quarantine=BAD, quarantine_text=True)
    with pytest.raises(ConflictError, match="lies in the output"):
        score([input_file], f"{OUT}/", model=model, quarantine=f"{OUT}/bad")
    for flag in ("--html", "--metrics-file"):
        done = in_process("score", input_file, FILE, "--model", model, flag, "s3://bucket/x.prom")
        assert done.returncode == 64
        assert f"{flag} names an object store" in done.stderr
    assert store.keys() == []


@pytest.mark.parametrize("output", [FILE, "out.parquet"])
def test_bad_rows_of_one_file_go_to_a_store(output, store, model, tmp_path, work, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_bytes(BROKEN)
    job = {"model": model, "quarantine": BAD, "max_bad_rows": 2}
    done = score(tmp_path / "in.csv", output, **job)
    assert (done.rows_in, done.rows_out, done.rows_quarantined) == (4, 2, 2)
    told = [json.loads(line) for line in store.get("told/bad.jsonl").splitlines()]
    assert [entry["row"] for entry in told] == [2, 4]
    assert work() == []
    assert score(tmp_path / "in.csv", output, if_exists="skip", **job).state == "skipped"
    # Without its quarantine the output is not complete.
    store.client.delete_object(Bucket="bucket", Key="told/bad.jsonl")
    with pytest.raises(OutputError, match="exists"):
        score(tmp_path / "in.csv", output, if_exists="skip", **job)
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_bad_rows_of_a_folder_go_to_a_folder_in_a_store(store, model, tmp_path):
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "in" / "a" / "x.csv").write_bytes(BROKEN)
    (tmp_path / "in" / "y.csv").write_bytes(b"text\nrefund\n")
    bad = "s3://bucket/told/bad"
    done = score(tmp_path / "in", OUT, model=model, quarantine=bad, max_bad_rows="90%")
    assert (done.rows_in, done.rows_quarantined) == (5, 2)
    assert store.keys("told/") == ["told/bad/a/x.jsonl", "told/bad/y.jsonl"]
    assert len(store.get("told/bad/a/x.jsonl").splitlines()) == 2
    assert store.get("told/bad/y.jsonl") == b""
    assert verify_output(at(OUT)).rows_quarantined == 2


def test_no_output_without_its_quarantine(store, model, tmp_path, work, monkeypatch):
    (tmp_path / "in.csv").write_bytes(BROKEN)
    job = {"model": model, "quarantine": BAD, "max_bad_rows": 2}
    with monkeypatch.context() as patched:
        patched.setenv("TEXTBATCH_RETRY_SECONDS", "0.1")
        patched.setattr(s3_upload.S3Upload, "_put", _broken)
        for output in (FILE, tmp_path / "out.parquet"):
            with pytest.raises(TryAgainError):
                score(tmp_path / "in.csv", output, **job)
    assert store.keys() == []
    assert not (tmp_path / "out.parquet").exists()
    for output in (FILE, tmp_path / "out.parquet"):
        assert score(tmp_path / "in.csv", output, **job).rows_out == 2
    assert work() == []
    store.faults.denied = True
    with pytest.raises(AccessError):
        score(tmp_path / "in.csv", tmp_path / "more.parquet", **job)
    assert not (tmp_path / "more.parquet").exists()


def _broken(*_: object) -> None:
    raise OSError


@pytest.mark.parametrize("name", ["year=2020/f0.parquet", "z.parquet"])
def test_an_object_of_others_is_neither_replaced_nor_removed(name, store, folder, model, tmp_path):
    noise = tmp_path / "noise.parquet"
    pq.write_table(pa.table({"precious": [1]}), noise)
    store.client.delete_object(Bucket="bucket", Key="out/_manifest.jsonl")
    store.client.delete_object(Bucket="bucket", Key="out/_SUCCESS")
    for part in folder:
        store.client.delete_object(Bucket="bucket", Key=f"out/{part}")
    store.put(f"out/{name}", noise.read_bytes())
    with pytest.raises(OutputError, match=f"holds {name}, which this output did not write"):
        score(tmp_path / "in", OUT, model=model, if_exists="replace")
    assert store.keys("out") == [f"out/{name}"]
    assert store.get(f"out/{name}") == noise.read_bytes()


@pytest.mark.parametrize("name", ["scored.csv", "scored.jsonl.gz"])
def test_csv_and_json_lines_go_into_a_store_with_their_record(
    name, store, input_file, model, tmp_path, work
):
    there = f"s3://bucket/{name}"
    report = score(input_file, there, model=model)
    score(input_file, tmp_path / name, model=model)
    assert store.get(name) == (tmp_path / name).read_bytes()
    assert verify_output(at(there)).seal == report.seal
    assert inspect_path(at(there)).rows == report.rows_out
    assert work() == []
    assert score(input_file, there, model=model, if_exists="skip").state == "skipped"
    with pytest.raises(OutputError, match="exists"):
        score(input_file, there, model=model)
    store.put(name, store.get(name) + b"x")
    with pytest.raises(DataError, match="changed since it was written"):
        verify_output(at(there))
    with pytest.raises(OutputError, match="has changed since it was made"):
        score(input_file, there, model=model, if_exists="skip")
    store.client.delete_object(Bucket="bucket", Key=f"_{name}.seal.json")
    with pytest.raises(DataError, match="is not beside it"):
        verify_output(at(there))
    assert score(input_file, there, model=model, if_exists="replace").state == "done"
    assert verify_output(at(there)).rows == report.rows_out


def test_rows_of_a_store_are_shown(store, folder, input_file, model, in_process):
    score(input_file, "s3://bucket/scored.csv", model=model)
    score(input_file, FILE, model=model)
    wanted = pq.read_table(input_file)["id"].to_pylist()[:3]
    for place in (FILE, "s3://bucket/scored.csv", OUT):
        done = in_process("show", place, "--rows", "3", "--json", "--columns", "id,status")
        rows = list(map(json.loads, done.stdout.splitlines()))
        assert len(rows) == 3, done.stderr
        assert place == OUT or [row["id"] for row in rows] == wanted
    assert in_process("show", "s3://bucket/none.csv").returncode == 68


def test_a_folder_that_only_takes_files_in_needs_no_directory_on_this_machine(monkeypatch):
    touched = []
    monkeypatch.setattr("textbatch.data.output.remote_folder.private_directory", touched.append)
    monkeypatch.setattr("textbatch.data.output.remote_folder.new_output", lambda _: MagicMock())
    RemoteFolder(location_of("s3://bucket/aside")).check_place()
    assert touched == []


@pytest.mark.parametrize("parts", [1, 3])
def test_an_object_that_others_make_during_the_upload_is_not_replaced(
    parts, store, tmp_path, monkeypatch
):
    """The store itself is asked for it: between a look and an upload there is always some time."""
    monkeypatch.setattr(s3_upload, "PART_BYTES", 5 << 20)
    local = tmp_path / "out.parquet"
    local.write_bytes(b"x" * ((parts - 1) * (5 << 20) + 10))
    upload = s3_upload.S3Upload(local, location_of("s3://bucket/new"), overwrite=False)
    store.put("new", b"theirs")
    with pytest.raises(OutputError):
        upload.run()
    assert store.get("new") == b"theirs"
    s3_upload.S3Upload(local, location_of("s3://bucket/new"), overwrite=True).run()
    assert store.get("new") == local.read_bytes()


def test_a_new_model_scores_the_parts_in_a_store_anew(folder, store, tmp_path, work):
    other = write_bundle(tmp_path / "other", random_bundle(seed=7))
    job = {"model": other, "incremental": True}
    with pytest.raises(OutputError, match="--rescore stale"):
        score(tmp_path / "in", OUT, **job)
    done = score(tmp_path / "in", OUT, rescore="stale", **job)
    assert (done.files["stale"], done.files["rescored"]) == (3, 3)
    assert verify_output(at(OUT), model=other).parts == 3
    lines = store.get("out/_manifest.jsonl").splitlines()
    told = [(record["fingerprint"], record["becoming"]) for record in map(json.loads, lines)]
    assert told == [(done.fingerprint, [])] * 3
    assert work() == []


def test_shares_on_machines_of_their_own_fill_a_folder_in_a_store(store, model, tmp_path):
    """Each has a work directory of its own; one of them runs twice, as where its machine died."""
    for number in range(5):
        (tmp_path / "in").mkdir(exist_ok=True)
        write_texts(tmp_path / "in" / f"{number}.parquet", random_texts(9, seed=number))
    store.put_folder(tmp_path / "in", "in")
    settings = {"model": model, "shard_rows": 18}
    score("s3://bucket/in", "s3://bucket/plain", work_dir=tmp_path / "w", **settings)
    output = at("s3://bucket/out")
    for machine, index in enumerate((0, 0, 1)):
        with pytest.raises((TryAgainError, InputNotFoundError)):
            finish_output(output, run_id="f" * 16, work_dir=tmp_path / "finish")
        share = {"shard": f"{index}/2", "work_dir": tmp_path / f"machine{machine}"}
        done = score("s3://bucket/in", OUT, **share, **settings)
        assert bool(done.files["scored"]) == (machine != 1)
    done = finish_output(output, run_id="f" * 16, work_dir=tmp_path / "finish")
    assert (done.state, done.rows_out) == ("done", 45)
    names = [key.removeprefix("out/") for key in store.keys("out/")]
    assert names == [key.removeprefix("plain/") for key in store.keys("plain/")]
    for name in names:
        if name.startswith("part-"):
            assert store.get(f"out/{name}") == store.get(f"plain/{name}")
    assert verify_output(output).parts == len(names) - 2
    assert not [path for path in tmp_path.rglob("outputs/*") if path.name != "in"]
