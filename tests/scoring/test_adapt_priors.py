"""`score --adapt-priors`: the answers to a file, adapted to its mix of labels."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import LABELS, random_bundle, random_texts, with_reference, write_bundle

import textbatch
from textbatch.data.output.footer import find_footer
from textbatch.errors import ConflictError, OutputError, QualityGateError, TooManyBadRowsError

ASKED = {"adapt_priors": True, "probabilities": True}


@pytest.fixture(scope="module")
def usual():
    return random_texts(300, seed=4)


@pytest.fixture(scope="module")
def rows(usual):
    """What is scored, with rows that no model answers between them."""
    return [*usual[:200], None, "", *usual[150:]]


def otherwise_mixed(bundle, texts):
    """The bundle as if nearly all of its held-out rows had been of its first label."""
    found = with_reference(bundle, texts)
    sums = dict(zip(LABELS, (9_700_000, 100_000, 100_000, 100_000), strict=True))
    return replace(found, reference=replace(found.reference, probability_sums=sums))


@pytest.fixture(scope="module")
def model(tmp_path_factory, usual):
    folder = tmp_path_factory.mktemp("model")
    return write_bundle(folder / "m", otherwise_mixed(random_bundle(), usual))


@pytest.fixture(scope="module")
def alike(tmp_path_factory, usual):
    """A model that was measured on the same texts."""
    folder = tmp_path_factory.mktemp("alike")
    return write_bundle(folder / "m", with_reference(random_bundle(), usual))


def written(path, texts):
    if not path.exists():  # a file that is written again is another input
        pq.write_table(pa.table({"id": range(len(texts)), "text": texts}), path)
    return path


@pytest.fixture
def run(model, tmp_path):
    def score(texts, name="out.parquet", **settings):
        source = written(tmp_path / "in.parquet", texts)
        return textbatch.score(source, tmp_path / name, **{"model": model, **ASKED, **settings})

    return score


def test_another_mix_is_found_told_and_allowed_for(run, rows, tmp_path):
    report = run(rows)
    own = run(rows, "own.parquet", adapt_priors=False)
    assert report.priors.adapted
    assert report.priors.now[LABELS[0]] < report.priors.before[LABELS[0]] - 0.1
    assert report.notes[-1].startswith("adapted to another mix of labels (shift ")
    assert own.priors is None
    # Drift is that of the model's own answers; the estimate is of those in the output.
    assert report.drift == own.drift
    assert report.estimated_accuracy != own.estimated_accuracy
    ratios = np.array(list(report.priors.now.values())) / list(report.priors.before.values())
    table, before = (pq.read_table(tmp_path / one) for one in ("out.parquet", "own.parquet"))
    for row, was in zip(table.to_pylist(), before.to_pylist(), strict=True):
        assert (row["probabilities"] is None) == (was["probabilities"] is None)
        if row["probabilities"] is None:
            assert row["status"] == was["status"]
            continue
        expected = np.array(was["probabilities"]) * ratios
        assert row["probabilities"] == pytest.approx(list(expected / expected.sum()), abs=1e-6)
        assert row["predicted_label"] == LABELS[int(np.argmax(row["probabilities"]))]
        assert row["confidence"] == max(row["probabilities"])
    told = json.loads(json.dumps(report.to_dict()))["priors"]
    assert list(told["now"]) == list(LABELS)
    assert report.mean_confidence != own.mean_confidence


def test_the_priors_stand_in_the_footer_and_a_rerun_is_recognised(run, rows, tmp_path):
    first = run(rows)
    found = find_footer(tmp_path / "out.parquet")
    assert found.priors.now == first.priors.now
    assert found.priors.signs.answers != found.signs.answers
    assert found.options["adapt_priors"] == "True"
    again = run(rows, if_exists="skip")
    assert (again.state, again.priors) == ("skipped", first.priors)
    assert again.estimated_accuracy == first.estimated_accuracy
    with pytest.raises(OutputError, match="with another"):
        run(rows, if_exists="skip", adapt_priors=False)


def test_without_another_mix_no_bit_changes_and_the_report_says_so(run, rows, alike, tmp_path):
    report = run(rows, model=alike)
    run(rows, model=alike, name="own.parquet", adapt_priors=False)
    assert not report.priors.adapted
    assert report.notes[-1].startswith("--adapt-priors changed nothing: the mix of labels is not")
    table, before = (pq.read_table(tmp_path / one) for one in ("out.parquet", "own.parquet"))
    assert table.equals(before)


@pytest.mark.parametrize(
    "settings",
    [{"chunk_rows": 7}, {"chunk_rows": 50, "jobs": 2}, {"threads": 2}, {"cache": "kept"}],
)
def test_the_bits_do_not_depend_on_how_it_is_done(run, rows, tmp_path, settings):
    run(rows)
    if "cache" in settings:
        settings = {"cache": tmp_path / "kept"}
        run(rows, "first.parquet", **settings)
    run(rows, "other.parquet", **settings)
    table, other = (pq.read_table(tmp_path / one) for one in ("out.parquet", "other.parquet"))
    assert table.equals(other)


@pytest.mark.parametrize("calls", [3, 55, 70])
def test_a_run_that_ended_in_either_pass_goes_on(run, rows, tmp_path, monkeypatch, calls):
    import textbatch.scoring.prior_pass as first
    import textbatch.scoring.score_file as second

    run(rows, "whole.parquet")
    left = iter(range(calls))

    def ends(_task):
        if next(left, None) is None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(first, "check_wanted", ends)
        patched.setattr(second, "check_wanted", ends)
        with pytest.raises(KeyboardInterrupt):
            run(rows, chunk_rows=8)
    report = run(rows, chunk_rows=8)
    assert report.rows_resumed > 0
    assert any(note.startswith("resumed: ") for note in report.notes)
    assert pq.read_table(tmp_path / "out.parquet").equals(pq.read_table(tmp_path / "whole.parquet"))


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_text_outputs_and_other_columns_have_the_adapted_answers(run, rows, tmp_path, name):
    options = {"probabilities": False, "top_k": 1, "min_confidence": 0.6}
    run(rows, **options)
    first = run(rows, name, **options)
    table = pq.read_table(tmp_path / "out.parquet").to_pylist()
    if name.endswith("csv"):
        return
    told = [json.loads(line) for line in (tmp_path / name).read_text().splitlines()]
    assert [row["predicted_label"] for row in told] == [row["predicted_label"] for row in table]
    for row in table:
        if row["predicted_label"]:
            assert row["top_labels"] == [row["predicted_label"]]
    assert first.priors.adapted


@pytest.mark.parametrize("texts", [[], [None, ""], ["zzz qqq"]])
def test_without_answers_there_is_no_mix(run, texts):
    report = run(pa.array(texts, pa.string()))
    assert (report.rows_out, report.priors.rows, report.priors.adapted) == (len(texts), 0, False)


def test_several_models_have_priors_of_their_own(run, rows, usual, model, tmp_path):
    other = write_bundle(tmp_path / "b", otherwise_mixed(random_bundle(seed=5), usual))
    models = {"model": {"a": model, "b": other}}
    report = run(rows, **models)
    assert report.priors is None
    a, b = report.models
    assert a.priors.adapted
    assert a.priors.now != b.priors.now
    run(rows, "alone.parquet")
    table, alone = (pq.read_table(tmp_path / one) for one in ("out.parquet", "alone.parquet"))
    assert table["a_probabilities"].equals(alone["probabilities"])
    assert run(rows, if_exists="skip", **models).models[1].priors == b.priors


def test_bad_rows_end_the_run_in_the_first_pass_or_are_set_aside(model, rows, tmp_path):
    encoded = [text.encode() if text else text for text in rows]
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": pa.array([b"\xff", *encoded], pa.binary())}), source)
    with pytest.raises(TooManyBadRowsError):
        textbatch.score(source, tmp_path / "out.parquet", model=model, **ASKED)
    given = {"max_bad_rows": 1, "quarantine": tmp_path / "bad.jsonl"}
    done = textbatch.score(source, tmp_path / "out.parquet", model=model, **ASKED, **given)
    assert (done.rows_quarantined, done.priors.adapted) == (1, True)


def test_what_it_does_not_go_with(run, rows, model, tmp_path):
    with pytest.raises(ConflictError, match="--explain"):
        run(rows, explain=1)
    with pytest.raises(ConflictError, match="of one file, and these are several"):
        textbatch.score(tmp_path / "in.parquet", f"{tmp_path}/out/", model=model, adapt_priors=True)
    with pytest.raises(ConflictError, match="is for files"):
        textbatch.score(pa.table({"text": ["a"]}), model=model, adapt_priors=True)


def test_a_model_of_an_older_textbatch_is_refused(run, rows, usual, tmp_path):
    bundle = with_reference(random_bundle(), usual)
    older = replace(bundle, reference=replace(bundle.reference, probability_sums={}))
    for name, one in (("older", older), ("none", random_bundle())):
        with pytest.raises(QualityGateError, match="mix of labels of its held-out rows"):
            run(rows, model=write_bundle(tmp_path / name, one))
