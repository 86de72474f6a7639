"""`--drift-history`: a run as one of a series."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from multiprocessing import get_context

import pytest
from support.bundles import random_bundle, warmer_bundle, with_reference, write_bundle, write_texts

import textbatch
from textbatch.data.output import drift_history
from textbatch.data.output.drift_history import HistoryLine, ModelNight, add_line, read_history
from textbatch.data.output.signs import Signs
from textbatch.errors import ConflictError, DataError, OutputError, QualityGateError
from textbatch.scoring.folder.finish import finish_output

USUAL = ["refund the card", "cannot log in", "the app is slow", "please update my address now"]
ODD = ["zzz qqq yyy xxx www refund " * 4]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    return write_bundle(folder / "model", with_reference(random_bundle(), USUAL * 300))


@pytest.fixture
def night(measured, tmp_path):
    """Scores the texts of a night, with a history."""

    def score(texts, number=0, **settings):
        source = tmp_path / f"in-{number}.parquet"
        if not source.exists():  # a file that is written anew is another input
            write_texts(source, texts)
        settings = {"model": measured, "drift_history": tmp_path / "nights.jsonl"} | settings
        return textbatch.score(source, tmp_path / f"out-{number}.parquet", **settings)

    return score


def line(number: int) -> HistoryLine:
    signs = Signs(answers={"a": number}, confidences=[number], confidence_sums=[0])
    return HistoryLine(
        id=f"{number:064x}",
        time="2026-11-27T12:00:00+00:00",
        rows=number,
        models=[ModelNight(fingerprint="0" * 64, signs=signs)],
    )


def test_each_published_run_is_a_line_and_the_same_run_again_is_not(night, tmp_path):
    history = tmp_path / "nights.jsonl"
    for number in range(3):
        found = night(USUAL * (30 + number), number, fail_on_drift=True).drift_series
        assert (found.runs, found.drifted) == (number + 1, False)
    assert {one.of for one in found.measures} == {"labels", "confidences", "lengths", "unknown"}
    assert all(len(one.effects) == 3 for one in found.measures)
    lines = read_history(history)
    assert [one.rows for one in lines] == [120, 124, 128]
    assert night(USUAL * 30, 0, if_exists="skip").state == "skipped"
    assert night(USUAL * 30, 0, if_exists="replace").drift_series.runs == 3
    assert read_history(history) == lines
    assert "refund" not in history.read_text()


def test_a_series_moves_where_each_of_its_nights_alone_has_not(night):
    """Nights of 40 rows say nothing alone; all together they are sure."""
    for number in range(12):
        some = night(USUAL * 10, number)
        assert not some.drift_series.drifted
    texts = [*USUAL * 6, *ODD * 16]
    for number in range(12, 30):
        found = night([*texts, *["slow"] * number], number, warn_on_drift=True)
        if found.drift_series.drifted:
            break
    moved = [one for one in found.drift_series.measures if one.drifted]
    assert moved
    assert 11 <= min(one.since for one in moved) <= 15
    assert any(note.startswith("warning: ") and "since run " in note for note in found.notes)
    told = json.loads(json.dumps(found.to_dict()))
    assert told["drift_series"]["measures"][0]["since_time"].startswith("20")


def test_a_series_that_has_moved_publishes_nothing_where_that_was_asked_for(night, tmp_path):
    texts = [*USUAL * 2, *ODD * 3, "late"]
    for number in range(20):
        night([*texts, *["late"] * number], number)
    assert night(texts, 30).drift_series.drifted
    lines = read_history(tmp_path / "nights.jsonl")
    few = [*USUAL, *ODD]
    assert not night(few, 98, drift_history=None, fail_on_drift=True).drift.drifted
    with pytest.raises(QualityGateError, match="are unlike the rows that the model") as failed:
        night(few, 99, fail_on_drift=True)
    assert failed.value.exit_code == 69
    assert "zzz" not in str(failed.value)
    assert not (tmp_path / "out-99.parquet").exists()
    assert read_history(tmp_path / "nights.jsonl") == lines


def test_another_model_begins_a_series_of_its_own_and_the_lines_stay(night, tmp_path):
    for number in range(2):
        night(USUAL * 20, number)
    other = write_bundle(tmp_path / "other", with_reference(warmer_bundle(), USUAL * 60))
    assert night(USUAL * 20, 2, model=other).drift_series.runs == 1
    assert night(USUAL * 20, 3).drift_series.runs == 3
    assert len(read_history(tmp_path / "nights.jsonl")) == 4


def test_folders_jobs_and_several_models_are_runs_too(night, measured, tmp_path):
    (tmp_path / "in").mkdir()
    for name in "ab":
        write_texts(tmp_path / "in" / f"{name}.parquet", USUAL * 20)
    history = tmp_path / "nights.jsonl"
    done = textbatch.score(
        tmp_path / "in", tmp_path / "out/", model=measured, drift_history=history, jobs=2
    )
    assert (done.drift_series.runs, done.drift_series.rows) == (1, 160)
    both = night(USUAL * 20, model={"a": measured, "b": measured})
    assert [one.drift_series.runs for one in both.models] == [3, 3]
    assert both.drift_series is None
    assert len(read_history(history)) == 2


def shares(source, output, **settings):
    for share in ("0/2", "1/2"):
        textbatch.score(source, output, shard=share, **settings)


def test_of_shares_finish_adds_one_line_as_one_process_does(measured, tmp_path):
    (tmp_path / "in").mkdir()
    for name in "ab":
        write_texts(tmp_path / "in" / f"{name}.parquet", USUAL * 20)
    models = {"a": measured, "b": measured}
    for model in (measured, models):
        history, out = tmp_path / "nights.jsonl", tmp_path / "out"
        shares(tmp_path / "in", out, model=model)
        done = finish_output(out, run_id="f" * 16, drift_history=history)
        assert model is models or (done.drift_series.runs, done.drift_series.rows) == (1, 160)
        # Both names are of one bundle, so they are runs of one series.
        assert [one.drift_series.runs for one in done.models] == [2] * len(done.models)
        (made,) = read_history(history)
        # The plan is gone now; the line is known.
        assert finish_output(out, run_id="e" * 16, drift_history=history).state == "skipped"
        shutil.rmtree(out)
        textbatch.score(tmp_path / "in", out, model=model, drift_history=history)
        assert read_history(history) == [made]
        shutil.rmtree(out)
        history.unlink()


def test_finish_completes_nothing_where_the_series_has_moved(night, measured, tmp_path):
    assert night([*USUAL * 20, *ODD * 120]).drift_series.drifted
    history, out = tmp_path / "nights.jsonl", tmp_path / "out"
    lines = read_history(history)
    (tmp_path / "in").mkdir()
    for name, part in (("a", USUAL), ("b", ODD)):
        write_texts(tmp_path / "in" / f"{name}.parquet", part)
    shares(tmp_path / "in", out, model=measured, fail_on_drift=True)
    with pytest.raises(QualityGateError, match="without --fail-on-drift, which scores"):
        finish_output(out, run_id="f" * 16, drift_history=history)
    assert not (out / "_SUCCESS").exists()
    with pytest.raises(OutputError, match="there is no directory"):
        finish_output(out, run_id="f" * 16, drift_history=tmp_path / "none" / "nights.jsonl")
    assert read_history(history) == lines
    shares(tmp_path / "in", out, model=measured, warn_on_drift=True)
    done = finish_output(out, run_id="f" * 16, drift_history=history)
    assert done.drift_series.runs == 2
    assert any("since run " in note for note in done.notes)


def test_a_finish_that_could_add_no_line_is_done_and_warns(measured, tmp_path, monkeypatch):
    def fail(*_):
        raise OutputError("no room", "make some")

    monkeypatch.setattr("textbatch.scoring.folder.planned_series.add_line", fail)
    (tmp_path / "in").mkdir()
    write_texts(tmp_path / "in" / "a.parquet", USUAL)
    shares(tmp_path / "in", tmp_path / "out", model=measured)
    done = finish_output(tmp_path / "out", run_id="f" * 16, drift_history=tmp_path / "h")
    assert done.state == "done"
    assert any("could not be written" in note for note in done.notes)


@pytest.mark.parametrize(
    "content", ["{}\n", "text\nrefund\n", '{"history_version": 2}\n', "\x00\n", '{"id": "'],
)  # fmt: skip
def test_a_file_that_is_no_history_is_an_error_and_stays(night, tmp_path, content):
    history = tmp_path / "nights.jsonl"
    history.write_text(content)
    with pytest.raises(DataError, match="history of drift") as failed:
        night(USUAL)
    assert failed.value.exit_code == 65
    assert "refund" not in str(failed.value)
    assert history.read_text() == content
    assert not (tmp_path / "out-0.parquet").exists()
    with pytest.raises(DataError):
        add_line(history, line(1))
    assert history.read_text() == content


def test_places_that_cannot_be_a_history_are_told(night, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError):
        night(USUAL, drift_history=tmp_path / "folder")
    with pytest.raises(OutputError, match="there is no directory"):
        night(USUAL, drift_history=tmp_path / "none" / "nights.jsonl")
    (tmp_path / "link").symlink_to(tmp_path / "gone" / "nights.jsonl")
    with pytest.raises(OutputError, match="there is no directory"):
        night(USUAL, drift_history=tmp_path / "link")
    assert not list(tmp_path.glob("out-*"))
    with pytest.raises(ConflictError, match="give it to `textbatch finish`"):
        textbatch.score(
            tmp_path / "in-0.parquet", tmp_path / "o/", drift_history=tmp_path / "h", shard="0/2"
        )


def test_a_dry_run_adds_nothing(night, tmp_path):
    assert night(USUAL, dry_run=True).drift_series is None
    assert not (tmp_path / "nights.jsonl").exists()


def test_a_line_that_cannot_be_added_is_a_warning_of_a_job_that_is_done(night, monkeypatch):
    def fail(*_):
        raise OutputError("no room", "make some")

    monkeypatch.setattr("textbatch.scoring.drift_history.add_line", fail)
    found = night(USUAL * 5)
    assert found.state == "done"
    assert any("could not be written" in note for note in found.notes)


def _add(path, number):
    add_line(path, line(number))


def test_jobs_at_once_lose_no_line(tmp_path):
    context = get_context("fork")
    running = [context.Process(target=_add, args=(tmp_path / "h", one)) for one in range(8)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    assert sorted(one.rows for one in read_history(tmp_path / "h")) == list(range(8))
    assert not add_line(tmp_path / "h", line(3))
    assert [one.name for one in tmp_path.iterdir()] == ["h"]


def test_a_killed_job_leaves_the_old_lines(tmp_path):
    add_line(tmp_path / "h", line(1))
    code = (
        "import os, sys; from pathlib import Path\n"
        "from textbatch.data.output import drift_history as d\n"
        "from textbatch.data.storage.atomic_file import AtomicFile\n"
        "AtomicFile.move_into_place = lambda self: os.kill(os.getpid(), 9)\n"
        "path = Path(sys.argv[1]); first = d.read_history(path)[0]\n"
        "from dataclasses import replace\n"
        "d.add_line(path, replace(first, id='f' * 64))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, tmp_path / "h"], check=False)
    assert ran.returncode == -9
    assert read_history(tmp_path / "h") == [line(1)]
    assert add_line(tmp_path / "h", replace(line(1), id="e" * 64))
    assert [one.name for one in tmp_path.iterdir()] == ["h"]
    assert drift_history.read_history(tmp_path / "none") == []


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    add_line(tmp_path / "link", line(1))
    assert (tmp_path / "link").is_symlink()
    assert len(read_history(tmp_path / "real")) == 1
