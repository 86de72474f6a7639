"""A dry run says what the run would do, finds what would stop it, and writes nothing."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, run_cli, write_bundle, write_texts

import textbatch
from textbatch.errors import AccessError, OutputError, StorageError

TEXTS = ["refund the card", "cannot log in", "the app is slow"]


@pytest.fixture
def run(model, tmp_path):
    write_texts(tmp_path / "in.parquet", TEXTS)
    (tmp_path / "in").mkdir()
    write_texts(tmp_path / "in" / "a.parquet", TEXTS)

    def run(source="in.parquet", output="out.parquet", **settings):
        places = [tmp_path / name for name in (source, output)]
        return textbatch.score(*places, **{"model": model, **settings})

    return run


@pytest.mark.parametrize("places", [("in.parquet", "out.parquet"), ("in", "out")])
def test_it_says_score_skip_or_replace(places, run):
    planned = run(*places, dry_run=True)
    assert (planned.state, planned.plan, planned.rows_in) == ("planned", "score", 3)
    assert run(*places).plan is None
    before = run(*places, dry_run=True, if_exists="skip")
    assert (before.plan, before.rows_in) == ("skip", 3)
    assert "there is nothing to do" in before.notes[-1]
    assert run(*places, dry_run=True, if_exists="replace").plan == "replace"
    with pytest.raises(OutputError, match="exist|not empty" if places[0] != "in" else None):
        # A finished folder of the same job is nothing to do; of other options it is in the way.
        run(*places, dry_run=True, top_k=2)


def test_an_output_of_another_job_is_told_before_the_run(run, tmp_path):
    run()
    other = write_bundle(tmp_path / "other", random_bundle(max_sequence_length=11))
    with pytest.raises(OutputError, match=r"exists: it was made by another model \(\w{12}…, not "):
        run(dry_run=True, if_exists="skip", model=other)


def test_a_folder_tells_what_is_new_and_what_it_did_before(run, tmp_path):
    run("in", "out", incremental=True)
    assert run("in", "out", incremental=True, dry_run=True).plan == "skip"
    write_texts(tmp_path / "in" / "b.parquet", TEXTS[:1])
    planned = run("in", "out", incremental=True, dry_run=True)
    assert (planned.plan, planned.rows_in) == ("score", 1)
    assert [planned.files[name] for name in ("found", "scored", "known")] == [2, 1, 1]


def test_a_foreign_file_in_the_output_is_told_before_the_run(run, tmp_path):
    (tmp_path / "out").mkdir()
    write_texts(tmp_path / "out" / "mine.parquet", TEXTS)
    with pytest.raises(OutputError, match=r"mine\.parquet, which this output did not write"):
        run("in", "out", dry_run=True, if_exists="replace")


@pytest.mark.parametrize("places", [("in.parquet", "out.parquet"), ("in", "out")])
def test_an_interrupted_run_is_told_and_left_as_it_is(places, run, model, tmp_path):
    fail = {"TEXTBATCH_FAILPOINTS": "output-sealed:1:0"}
    words = ["score", *(str(tmp_path / name) for name in places), "--model", str(model)]
    assert run_cli(*words, **fail).returncode == -9
    before = sorted(tmp_path.rglob("*"))
    told = run_cli(*words, "--dry-run")
    assert told.stdout.startswith("would go on with an interrupted run, and score 3 rows")
    assert sorted(tmp_path.rglob("*")) == before
    assert run(*places).rows_out == 3


@pytest.mark.parametrize("places", [("in.parquet", "no/out.parquet"), ("in", "no/out")])
def test_a_missing_directory_is_told(places, run):
    with pytest.raises(OutputError, match="there is no directory"):
        run(*places, dry_run=True)


@pytest.mark.parametrize("places", [("in.parquet", "shut/out.parquet"), ("in", "shut/out")])
def test_an_unwritable_directory_is_told(places, run, tmp_path, monkeypatch):
    (tmp_path / "shut").mkdir()
    for room in ("local", "file_io"):
        monkeypatch.setattr(
            f"textbatch.data.storage.{room}.may_use", lambda path, _: path.name != "shut",
            raising=False,
        )  # fmt: skip
    monkeypatch.setattr("textbatch.data.output.folder.may_use", lambda path, _: path.name != "shut")
    with pytest.raises(AccessError, match="cannot write in"):
        run(*places, dry_run=True)


def test_the_command_prints_the_plan(run, model, tmp_path):
    words = ["score", str(tmp_path / "in"), str(tmp_path / "out"), "--model", str(model)]
    (tmp_path / "in" / "bad.csv").write_text("body\nx\n")
    told = run_cli(*words, "--dry-run", "--bad-files", "skip")
    assert "files: 2 found, 1 to score, 0 scored before, 1 set aside" in told.stdout
    assert "set aside: " in told.stderr
    assert "bad.csv has no column 'text'" in told.stderr


@pytest.mark.parametrize("places", [("in.parquet", "out.parquet"), ("in", "out")])
def test_a_disk_that_is_too_small_is_told_before_the_run(places, run, tmp_path, monkeypatch):
    def free(share: float) -> None:
        size = (tmp_path / "in" / "a.parquet").stat().st_size
        found = SimpleNamespace(f_bavail=int(size * share), f_frsize=1)
        monkeypatch.setattr("textbatch.scoring.limits.os.statvfs", lambda _: found)

    free(1.0)
    assert run(*places, dry_run=True).notes == []
    free(0.9)
    (note,) = run(*places, dry_run=True).notes
    assert re.fullmatch(r"the disk of .* free, and the input has .*: the output may not fit", note)
    free(0.05)
    with pytest.raises(StorageError, match=r"free, and the input has .*; make room"):
        run(*places, dry_run=True)
    # Of a narrow output nobody knows.
    assert run(*places, dry_run=True, columns=["text"]).notes
    assert not (tmp_path / places[1]).exists()


@pytest.mark.parametrize("source", ["s3://bucket/in.parquet", "s3://bucket/in/"])
def test_an_output_in_a_store_needs_room_for_one_file_here(source, store, model, monkeypatch):
    for name in ("in.parquet", "in/a.parquet", "in/b.parquet"):
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table({"text": TEXTS}), sink)
        store.put(name, sink.getvalue().to_pybytes())
    size = len(sink.getvalue().to_pybytes())
    target = source.replace("/in", "/out")
    for share, told in ((1.0, []), (0.5, ["may not fit"])):
        found = SimpleNamespace(f_bavail=int(size * share), f_frsize=1)
        monkeypatch.setattr("textbatch.scoring.limits.os.statvfs", lambda _, found=found: found)
        notes = textbatch.score(source, target, model=model, dry_run=True).notes
        assert [note.rpartition("output ")[2] for note in notes if "free" in note] == told
