"""What a job does once for all parts, and what a power cut between two looks at the disk leaves."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts

import textbatch
from textbatch.data.output import folder as output_folder
from textbatch.data.output.folder import OutputFolder
from textbatch.data.output.ledger import Ledger
from textbatch.data.output.leftovers import remove_leftovers
from textbatch.scoring.folder import spread
from textbatch.scoring.folder.finish import finish_output

OWNER = "0123456789abcdef"


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Ten files of ten rows in two folders."""
    folder = tmp_path_factory.mktemp("small") / "in"
    for number in range(10):
        place = folder / f"day={number % 2}" / f"f{number}.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        write_texts(place, random_texts(10, seed=number))
    return folder


def parts(output: Path) -> dict[str, int]:
    return {
        str(path.relative_to(output)): path.stat().st_mtime_ns
        for path in sorted(output.rglob("*.parquet"))
    }


def interrupted(source: Path, output: Path, model: Path, monkeypatch, *, after: int) -> None:
    """A run that dies when it has noted some parts."""
    noted = []

    def die(place: str) -> None:
        noted.extend([place] * (place == "part-noted"))
        if len(noted) == after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(spread, "failpoint", die)
        with pytest.raises(KeyboardInterrupt):
            textbatch.score(source, output, model=model)


def test_no_part_of_one_chunk_has_a_lock_or_a_look_through_the_folder(
    source, model, tmp_path, monkeypatch
):
    made, looked = [], []
    mkdir, scandir = os.mkdir, os.scandir
    monkeypatch.setattr(os, "mkdir", lambda path, *more: (made.append(path), mkdir(path, *more))[1])
    monkeypatch.setattr(os, "scandir", lambda path: (looked.append(path), scandir(path))[1])
    textbatch.score(source, tmp_path / "out", model=model)
    assert not [path for path in made if ".f" in str(path)]
    ours = [path for path in looked if str(tmp_path / "out") in os.fspath(path)]
    assert len(ours) < 10


def test_all_folders_of_parts_are_on_the_disk_before_the_manifest(
    source, model, tmp_path, monkeypatch
):
    events = []
    real, write = output_folder.sync_directory, OutputFolder.write_manifest
    monkeypatch.setattr(
        output_folder, "sync_directory", lambda path: (events.append(path), real(path))[1]
    )
    monkeypatch.setattr(
        OutputFolder,
        "write_manifest",
        lambda self, records: (events.append("manifest"), write(self, records))[1],
    )
    output = tmp_path / "out"
    textbatch.score(source, output, model=model)
    last = events.index("manifest")
    assert {output / "day=0", output / "day=1"} <= {*events[:last]}
    # Once each when it was made above it, and once for its parts.
    assert last < 10


def test_a_part_that_replaces_another_is_on_the_disk_before_its_line(
    source, model, tmp_path, monkeypatch
):
    output = tmp_path / "out"
    textbatch.score(source, output, model=model)
    events = []
    real, add = output_folder.sync_directory, Ledger.add
    monkeypatch.setattr(
        output_folder, "sync_directory", lambda path: (events.append(path), real(path))[1]
    )

    def noted(self, record, *, sync=True):
        events.append((record.part, sync))
        add(self, record, sync=sync)

    monkeypatch.setattr(Ledger, "add", noted)
    textbatch.score(source, output, model=model, min_confidence=0.5, if_exists="replace")
    lines = [(place, event) for place, event in enumerate(events) if isinstance(event, tuple)]
    assert len(lines) == 10
    for place, (part, synced) in lines:
        assert synced
        assert events[place - 1] == (output / part).parent


def test_a_line_without_its_part_and_a_part_without_its_line_are_both_mended(
    source, model, tmp_path, monkeypatch
):
    output = tmp_path / "out"
    interrupted(source, output, model, monkeypatch, after=6)
    done = parts(output)
    assert len(done) == 6
    # The first part did not reach the disk, nor did the last two lines of the ledger.
    lost, *kept = done
    (output / lost).unlink()
    ledger = tmp_path / ".out.textbatch" / "parts"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:-2]) + lines[-2][:100])
    report = textbatch.score(source, output, model=model)
    assert report.rows_out == 100
    after = parts(output)
    assert len(after) == 10
    assert {part: after[part] for part in kept} == {part: done[part] for part in kept}
    assert sum(pq.read_metadata(output / part).num_rows for part in after) == 100
    assert not [path for path in output.rglob(".*") if path.is_file()]


def test_dead_objects_of_parts_go_also_where_python_does_not_look_for_them(
    source, model, tmp_path, monkeypatch
):
    looked = []
    monkeypatch.setattr(spread, "_TIDY_EVERY", 4)
    monkeypatch.setattr(spread.gc, "collect", looked.append)
    textbatch.score(source, tmp_path / "out", model=model)
    assert looked == [0, 0]


def test_what_dead_runs_left_goes_and_what_is_alive_or_somebody_elses_stays(tmp_path):
    (tmp_path / "day=0").mkdir()
    dead = tmp_path / "day=0" / f".a.parquet.{OWNER}.tmp"
    alive = tmp_path / f".b.parquet.{OWNER}.tmp"
    others = tmp_path / f".c.parquet.{OWNER}.tmp"
    plain = tmp_path / ".b.parquet.tmp"
    long = "x" * 250
    for path in (dead, alive, others, plain):
        path.write_text("x")
    with alive.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        remove_leftovers(tmp_path, ["day=0/a.parquet", "b.parquet", long])
    assert not dead.exists()
    assert alive.exists()
    assert others.exists()
    assert plain.exists()
    remove_leftovers(tmp_path, ["day=0/a.parquet", "b.parquet"])
    assert not alive.exists()


def test_a_job_removes_what_a_dead_run_left_of_a_part(source, model, tmp_path):
    left = tmp_path / "out" / "day=1" / f".f1.parquet.{OWNER}.tmp"
    left.parent.mkdir(parents=True)
    left.write_text("x")
    textbatch.score(source, tmp_path / "out", model=model, if_exists="replace")
    assert not left.exists()


def test_finish_removes_what_dead_shares_left(source, model, tmp_path):
    output = tmp_path / "out"
    textbatch.score(source, output, model=model, shard="0/1")
    left = output / "day=1" / f".f1.parquet.{OWNER}.tmp"
    left.write_text("x")
    finish_output(output, run_id=OWNER)
    assert not left.exists()
    assert (output / "_SUCCESS").exists()
