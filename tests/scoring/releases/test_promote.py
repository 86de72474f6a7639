from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import accuracy_score, f1_score
from support.bundles import random_bundle, write_bundle

from textbatch import evaluate, score
from textbatch.data.output.work_directory import WorkDirectory
from textbatch.errors import (
    BundleError,
    ConflictError,
    DataError,
    OutputError,
    QualityGateError,
    TryAgainError,
    UsageError,
)
from textbatch.failpoints import PROMOTE_NAMES
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.bundle.fetch import load_model, load_placed
from textbatch.model.quality.text_sketch import TextSketch
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.inspect import inspect_path
from textbatch.scoring.model_handle import ModelHandle
from textbatch.scoring.releases.options import PromoteConfig
from textbatch.scoring.releases.promote import promote
from textbatch.scoring.scorer import Scorer


def fingerprints(models) -> list[str]:
    return [load_bundle(model).fingerprint for model in models]


def state_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_first_model_and_the_next_ones_are_what_score_reads(models, put, releases, input_file):
    for model in models[:3]:
        done = put(model)
        assert done.state == "done"
        assert load_model(releases).fingerprint == done.fingerprint
        output = releases.parent / "out.parquet"
        score(input_file, output, model=releases, if_exists="replace")
        plain = releases.parent / "plain.parquet"
        score(input_file, plain, model=model, if_exists="replace")
        assert pq.read_table(output).equals(pq.read_table(plain))
    assert done.previous_fingerprint == fingerprints(models)[1]


def test_the_same_model_again_changes_nothing(models, put, releases):
    put(models[0])
    before = state_of(releases)
    assert put(models[0]).state == "unchanged"
    assert state_of(releases) == before


def test_only_the_last_versions_stay(models, put, releases):
    done = [put(models[number % 4], keep=3) for number in range(5)]
    names = [one.name for one in inspect_path(releases).versions]
    assert names == [one.version for one in done[-3:]]
    assert sorted(path.name for path in (releases / "versions").iterdir()) == sorted(names)
    assert done[3].removed == (done[0].version,)


def test_the_measures_are_those_of_evaluate_on_the_same_rows(models, put, labelled):
    put(models[0])
    done = put(models[1], on=(labelled,))
    for measured, model in ((done.new, models[1]), (done.current, models[0])):
        found = evaluate(labelled, model=model)
        assert measured.accuracy == found.metrics.accuracy
        assert measured.macro_f1 == found.metrics.macro_f1
        assert measured.ece == pytest.approx(found.ece_after)
        assert list(measured.labels) == found.metrics.labels
    four = done.comparison
    assert four.both_right + four.only_new_right == round(done.new.accuracy * done.rows)
    assert four.difference == pytest.approx(done.new.accuracy - done.current.accuracy)
    assert four.low < four.difference < four.high


def test_a_requirement_that_is_not_met_changes_nothing(models, put, releases, labelled):
    put(models[0])
    before = state_of(releases)
    report = releases.parent / "report.json"
    wanted = ("accuracy >= current + 0.9", "ece < 1", "recall(billing) >= 2")
    with pytest.raises(QualityGateError, match=r"current \+ 0\.9: .*recall\(billing\)") as error:
        put(models[1], on=(labelled,), require=wanted, report=report)
    assert "ece" not in str(error.value)
    assert state_of(releases) == before
    told = json.loads(report.read_text())
    assert (told["state"], told["exit_code"]) == ("failed", 69)
    assert [one["met"] for one in told["requirements"]] == [False, True, False]
    assert told["new"]["accuracy"] <= 1


def test_a_failed_first_promotion_leaves_no_folder(models, put, releases, labelled):
    with pytest.raises(QualityGateError):
        put(models[0], on=(labelled,), require=("accuracy > 1",))
    assert not releases.exists()


def test_without_a_current_model_only_numbers_are_required(models, put, labelled):
    wanted = ("accuracy >= current - 0.1", "accuracy >= 0")
    done = put(models[0], on=(labelled,), require=wanted)
    assert [one.met for one in done.requirements] == [None, True]
    assert (done.state, done.current, done.comparison) == ("done", None, None)


def test_a_dry_run_changes_nothing(models, put, releases, labelled):
    assert put(models[0], dry_run=True).state == "planned"
    assert not releases.exists()
    put(models[0])
    before = state_of(releases)
    done = put(models[1], dry_run=True, on=(labelled,))
    assert (done.state, done.version) == ("planned", "")
    assert done.comparison
    assert state_of(releases) == before


def test_labels_that_only_one_model_knows_count_against_the_other(put, releases, tmp_path):
    old = write_bundle(tmp_path / "old", random_bundle(labels=("a", "b", "c")))
    new = write_bundle(tmp_path / "new", random_bundle(labels=("d", "b", "c"), seed=1))
    texts = ["refund the card", "login password", "parcel late", "email", "crash"] * 8
    labels = ["a", "b", "c", "d", "e"] * 8
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": texts, "label": labels}), path)
    put(old)
    done = put(new, on=(path,))
    assert (done.rows, done.unseen_labels) == (32, {"e": 8})
    kept = [row for row, label in enumerate(labels) if label != "e"]
    for measured, model in ((done.new, new), (done.current, old)):
        out = tmp_path / "out.parquet"
        score(path, out, model=model, if_exists="replace")
        table = pq.read_table(out).take(kept)
        true, predicted = table["label"].to_pylist(), table["predicted_label"].to_pylist()
        assert measured.accuracy == accuracy_score(true, predicted)
        f1 = f1_score(true, predicted, labels=sorted({*true, *predicted}), average="macro")
        assert measured.macro_f1 == pytest.approx(f1)
        assert 0 <= measured.ece <= 1
    assert [one for one in done.warnings if "does not have: d" in one]
    assert [one for one in done.warnings if "no longer has: a" in one]
    with pytest.raises(UsageError, match="no model has this label"):
        put(old, on=(path,), require=("recall(zzz) > 0",))


def test_rows_that_the_new_model_was_trained_on_are_refused(models, put, tmp_path, labelled):
    texts = pq.read_table(labelled)["text"].combine_chunks()
    sketch = TextSketch.of(texts.slice(0, 200))
    metrics = {"training_texts": {"texts": sketch.texts, "hashes": sketch.hashes}}
    seen = write_bundle(tmp_path / "seen", replace(random_bundle(seed=9), metrics=metrics))
    put(models[0])
    with pytest.raises(DataError, match="the new model was trained on"):
        put(seen, on=(labelled,))
    put(seen)
    done = put(models[1], on=(labelled,))
    assert any("in its favour" in one for one in done.warnings)


def test_a_damaged_current_model_can_be_replaced_but_not_compared(models, put, releases, labelled):
    damaged = releases / "versions" / put(models[0]).version
    (damaged / "labels.json").write_text("[]")
    with pytest.raises(BundleError, match="damaged"):
        put(models[1], on=(labelled,), require=("accuracy >= current",))
    done = put(models[1], on=(labelled,), require=("accuracy >= 0",))
    assert done.state == "done"
    assert "cannot be loaded" in done.warnings[0]
    assert load_model(releases).fingerprint == done.fingerprint


def test_a_model_that_is_damaged_is_not_promoted(models, put, releases, tmp_path):
    put(models[0])
    before = state_of(releases)
    copy = shutil.copytree(models[1], tmp_path / "copy")
    (copy / "golden.json").write_text("{}")
    with pytest.raises(BundleError):
        put(copy)
    assert state_of(releases) == before


def test_what_is_no_folder_of_releases_is_left_alone(models, put, releases, tmp_path):
    shutil.copytree(models[0], releases)
    with pytest.raises(OutputError, match="is a model"):
        put(models[1])
    shutil.rmtree(releases)
    releases.mkdir()
    (releases / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds other files, such as mine\.txt"):
        put(models[1])
    (releases / "mine.txt").unlink()
    (releases / ".hidden").write_text("of the system")
    assert put(models[1]).state == "done"
    with pytest.raises(OutputError):
        put(models[0], to=tmp_path / "no" / "folder")


def test_a_newer_or_malformed_record_is_refused(models, put, releases):
    put(models[0])
    record = releases / "current.json"
    good = json.loads(record.read_text())
    bad = [
        (good | {"format": 2}, "upgrade textbatch"),
        (good | {"current": "../../elsewhere"}, "wrong type or value"),
        (good | {"current": "20000101T000000Z-00000000"}, "malformed"),
    ]
    for value, told in bad:
        record.write_text(json.dumps(value))
        for use in (lambda: load_model(releases), lambda: put(models[1])):
            with pytest.raises(BundleError, match=told):
                use()


def test_one_folder_of_releases_goes_into_another(models, put, releases, tmp_path):
    put(models[0])
    staging, production = releases, tmp_path / "production"
    promote(PromoteConfig(model=staging, to=production, threads=1))
    assert load_model(production).fingerprint == load_model(staging).fingerprint


def test_contradictions_are_found_before_anything_is_read(models, releases, labelled):
    with pytest.raises(ConflictError, match="--require needs rows"):
        PromoteConfig(model=models[0], to=releases, require=("accuracy > 0",))
    with pytest.raises(UsageError, match="--to is missing"):
        PromoteConfig(model=models[0])
    with pytest.raises(UsageError, match="--require"):
        PromoteConfig(model=models[0], to=releases, on=(labelled,), require=("x",))


# --- readers, killed runs, and two at a time


def test_a_second_promotion_meanwhile_gets_75(models, put, releases):
    put(models[0])
    lock = WorkDirectory(releases / "versions", "0" * 16)
    try:
        with pytest.raises(TryAgainError, match="being written by process"):
            put(models[1])
        assert put(models[1], dry_run=True).state == "planned"
    finally:
        lock.release(keep=False)
    assert put(models[1]).state == "done"


def test_readers_load_a_whole_model_at_any_moment(models, put, releases):
    put(models[0], keep=2)
    known, seen, wrong = set(fingerprints(models)), set(), []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                seen.add(load_model(releases).fingerprint)
            except Exception as error:
                wrong.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(1, 8):
        put(models[number % 4], keep=2)
    stop.set()
    thread.join()
    assert not wrong
    assert seen <= known
    assert len(seen) > 1


def test_a_job_keeps_the_model_that_it_began_with(models, put, releases, input_file):
    put(models[0])
    config = ScoreConfig(
        inputs=(input_file,), output=releases.parent / "out.parquet", model=releases
    )
    handle = ModelHandle(config)
    scorer = Scorer(releases)
    began = handle.bundles().fingerprint
    put(models[1])
    assert load_model(handle.place).fingerprint == began  # what its workers load
    assert scorer.model().bundle.fingerprint == began
    assert load_model(releases).fingerprint != began


def test_a_link_that_is_turned_while_a_model_is_read_gives_no_mixture(models, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(models[0])
    bundle, place = load_placed(link)
    assert (bundle.fingerprint, place) == (fingerprints(models)[0], link)


@pytest.mark.parametrize("name", PROMOTE_NAMES)
def test_a_promotion_killed_at_any_step_leaves_the_old_or_the_new_model(
    name, models, put, releases
):
    for model in models[1:3]:
        put(model, keep=2)
    arguments = ["promote", models[3], "--to", releases, "--keep", "2"]
    killed = subprocess.run(
        [sys.executable, "-m", "textbatch", *map(str, arguments)],
        env={**os.environ, "TEXTBATCH_FAILPOINTS": f"{name}:1:0"},
        check=False,
    )
    assert killed.returncode == -9
    old, new = fingerprints(models[2:])
    committed = PROMOTE_NAMES.index(name) >= PROMOTE_NAMES.index("current-written")
    assert load_model(releases).fingerprint == (new if committed else old)
    done = put(models[3] if not committed else models[0], keep=2)
    assert done.state == "done"
    names = {one.name for one in inspect_path(releases).versions}
    assert {path.name for path in (releases / "versions").iterdir()} == names
    assert {path.name for path in releases.iterdir()} == {"current.json", "versions"}


def test_the_command_shows_both_models_also_where_a_requirement_fails(
    models, releases, labelled, in_process
):
    in_process("promote", models[0], "--to", releases)
    line = ("promote", models[1], "--to", releases, "--on", labelled)
    done = in_process(*line, "--require", "accuracy >= current + 0.9")
    assert (done.returncode, "is not promoted" in done.stderr) == (69, True)
    assert "McNemar" in done.stdout
    assert "NOT MET" in done.stdout
    done = in_process(*line, "--json")
    assert json.loads(done.stdout)["comparison"]["p_value"] <= 1


@pytest.mark.parametrize("stdout", ["| true", "> /dev/full"])
def test_a_stdout_that_takes_nothing_does_not_keep_a_model_back(stdout, models, put, releases):
    put(models[0])
    command = f'"{sys.executable}" -m textbatch promote "{models[1]}" --to "{releases}" {stdout}'
    subprocess.run(command, shell=True, check=False, stderr=subprocess.DEVNULL)
    assert load_model(releases).fingerprint == fingerprints(models)[1]
