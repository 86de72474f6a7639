"""Rows that are unlike those that the model was measured on: told of, warned of, or refused."""

from __future__ import annotations

import json
import shutil

import pytest
from support.bundles import random_bundle, with_reference, write_bundle, write_texts

import textbatch
from textbatch.errors import ConflictError, QualityGateError
from textbatch.scoring.folder.finish import finish_output

USUAL = ["refund the card", "cannot log in", "the app is slow", "please update my address now"]
ALWAYS = ["labels", "confidences", "lengths"]
ODD = ["zzz qqq yyy xxx www refund " * 4]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    return write_bundle(folder / "model", with_reference(random_bundle(), USUAL * 60))


@pytest.fixture
def run(measured, tmp_path):
    def score(texts, name="out.parquet", **settings):
        source = write_texts(tmp_path / "in.parquet", texts)
        return textbatch.score(source, tmp_path / name, model=measured, **settings)

    return score


def left(tmp_path):
    return sorted(one.name for one in tmp_path.iterdir() if one.name != "in.parquet")


def test_each_report_tells_of_drift_and_of_the_estimated_accuracy(run):
    usual, odd = run(USUAL * 40), run(ODD * 200, if_exists="replace")
    assert not usual.drift.drifted
    assert odd.drift.drifted
    assert {one.of for one in usual.drift.measures} == {
        "labels",
        "confidences",
        "lengths",
        "unknown",
    }
    assert usual.notes == odd.notes == []
    right = usual.estimated_accuracy
    assert right.low < right.accuracy <= right.high
    assert (right.rows, right.held_out) == (160, 240)
    told = usual.to_dict()
    assert json.loads(json.dumps(told))["drift"]["measures"][0]["of"] == "labels"
    assert "estimated accuracy" in usual._repr_html_()


def test_a_warning_says_what_has_moved_and_where(run):
    (note,) = run(ODD * 200, warn_on_drift=True).notes
    assert note.startswith("warning: the rows are unlike those that the model was measured on: ")
    assert "lengths of the texts (" in note
    assert "zzz" not in note
    assert run(USUAL * 40, "b.parquet", warn_on_drift=True).notes == []


def test_drift_publishes_nothing_where_that_was_asked_for(run, tmp_path):
    report = tmp_path / "report.json"
    with pytest.raises(
        QualityGateError, match="unlike those that the model was measured on"
    ) as found:
        run(ODD * 200, fail_on_drift=True, report=report)
    assert found.value.exit_code == 69
    assert left(tmp_path) == ["report.json"]
    told = json.loads(report.read_text())
    assert told["state"] == "failed"
    assert told["drift"]["drifted"]
    assert run(USUAL * 40, fail_on_drift=True).state == "done"


def test_what_stood_there_stays(run, tmp_path):
    run(USUAL * 40)
    before = (tmp_path / "out.parquet").read_bytes()
    with pytest.raises(QualityGateError):
        run(ODD * 200, fail_on_drift=True, if_exists="replace")
    assert (tmp_path / "out.parquet").read_bytes() == before


@pytest.mark.parametrize("name", ["out.parquet", "out.csv", "out.jsonl.gz"])
def test_an_output_that_is_there_is_not_taken_over(name, measured, tmp_path):
    given = (write_texts(tmp_path / "in.parquet", ODD * 200), tmp_path / name)
    textbatch.score(*given, model=measured)
    assert textbatch.score(*given, model=measured, if_exists="skip").drift.drifted
    with pytest.raises(QualityGateError):
        textbatch.score(*given, model=measured, if_exists="skip", fail_on_drift=True)


def test_withheld_labels_are_compared_too(run):
    done = run(USUAL * 40, min_confidence=0.999)
    assert sum(done.labels.values()) < 160
    assert not done.drift.drifted
    assert done.drift.rows == done.estimated_accuracy.rows == 160


def test_the_chunks_and_the_journal_change_nothing_but_tokens(run, tmp_path):
    whole, pieces = run(USUAL * 40), run(USUAL * 40, "b.parquet", chunk_rows=7)
    assert whole.drift == pieces.drift
    assert whole.estimated_accuracy == pieces.estimated_accuracy
    cache = tmp_path / "cache"
    for name in ("c.parquet", "d.parquet"):
        kept = run(USUAL * 40, name, cache=cache)
    # What was not split into tokens has no share of unknown ones.
    assert [one.of for one in kept.drift.measures] == ALWAYS
    assert kept.drift.measures == whole.drift.measures[:3]


def test_a_folder_is_judged_as_a_whole(measured, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    # Either file alone has drifted; both together have not.
    for place, text in enumerate(USUAL):
        write_texts(folder / f"{place}.parquet", [text] * 100)
    assert textbatch.score(
        folder / "1.parquet", tmp_path / "one.parquet", model=measured
    ).drift.drifted
    done = textbatch.score(folder, out, model=measured, fail_on_drift=True)
    assert not done.drift.drifted
    assert done.drift.rows == 400
    skipped = textbatch.score(folder, out, model=measured, if_exists="skip", fail_on_drift=True)
    assert skipped.state == "skipped"
    assert skipped.drift.measures == done.drift.measures[:3]
    write_texts(folder / "odd.parquet", ODD * 900)
    shutil.rmtree(out)
    with pytest.raises(QualityGateError):
        textbatch.score(folder, out, model=measured, fail_on_drift=True)
    assert not (out / "_SUCCESS").exists()
    again = textbatch.score(folder, out, model=measured)
    assert (again.state, again.rows_resumed) == ("done", 1_300)


def test_shares_are_judged_together_by_finish(measured, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for place, text in enumerate(USUAL[:2] + ODD):
        write_texts(folder / f"{place}.parquet", [text] * 100)
    for share in ("0/2", "1/2"):
        textbatch.score(folder, out, model=measured, shard=share, fail_on_drift=True)
    with pytest.raises(QualityGateError, match="without --fail-on-drift, which scores"):
        finish_output(out, run_id="f" * 16)
    assert not (out / "_SUCCESS").exists()
    for share in ("0/2", "1/2"):
        told = textbatch.score(folder, out, model=measured, shard=share, warn_on_drift=True)
        assert told.rows_resumed == told.rows_in
    done = finish_output(out, run_id="f" * 16)
    assert done.drift.drifted
    assert done.estimated_accuracy.rows > 0
    assert any("the rows are unlike" in one for one in done.notes)


def test_each_of_several_models_is_compared_with_its_own_rows(measured, tmp_path):
    other = with_reference(random_bundle(seed=5), ODD * 100)
    models = {"usual": measured, "odd": write_bundle(tmp_path / "odd", other)}
    source = write_texts(tmp_path / "in.parquet", ODD * 200)
    done = textbatch.score(source, tmp_path / "out.parquet", model=models)
    assert done.drift is None
    assert [one.drift.drifted for one in done.models] == [True, False]
    with pytest.raises(QualityGateError, match="that model usual was measured on"):
        textbatch.score(source, tmp_path / "b.parquet", model=models, fail_on_drift=True)


def test_a_model_without_held_out_rows_cannot_tell(model, tmp_path):
    source = write_texts(tmp_path / "in.parquet", USUAL)
    done = textbatch.score(source, tmp_path / "out.parquet", model=model)
    assert done.drift is done.estimated_accuracy is None
    with pytest.raises(ConflictError, match="has no answers to held-out rows"):
        textbatch.score(source, tmp_path / "b.parquet", model=model, fail_on_drift=True)


def test_rows_without_a_text_are_no_drift(run):
    done = run([None, "", " "] * 100, fail_on_drift=True)
    assert done.state == "done"
