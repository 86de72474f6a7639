from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from support.bundles import LABELS, WORDS, random_bundle, random_texts, write_bundle

from textbatch.errors import DataError, TooManyBadRowsError
from textbatch.model.quality.text_sketch import TextSketch
from textbatch.report.terminal.tables import evaluation_tables
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.evaluate_api import evaluate
from textbatch.scoring.score import score


def plain(shown) -> str:
    console = Console(width=80)
    with console.capture() as heard:
        console.print(shown)
    return heard.get()


@pytest.fixture
def labelled_file(tmp_path):
    """Texts of all kinds with labels at random, two of them unknown to the bundle."""
    random = np.random.default_rng(4)
    texts = random_texts(400, seed=4)
    labels = random.choice([*LABELS, "spam", "praise"], len(texts)).tolist()
    path = tmp_path / "labelled.parquet"
    pq.write_table(pa.table({"text": texts, "label": labels}), path)
    return path


def scored(labelled_file, model) -> list[dict[str, str]]:
    output = labelled_file.with_name("out.parquet")
    score(ScoreConfig(inputs=(labelled_file,), output=output, model=model))
    return pq.read_table(output).to_pylist()


def test_metrics_are_sklearns_on_the_labels_that_score_writes(labelled_file, model):
    rows = [row for row in scored(labelled_file, model) if row["label"] in LABELS]
    true = [row["label"] for row in rows]
    predicted = [row["predicted_label"] or "none" for row in rows]
    metrics = evaluate((labelled_file,), model=model).metrics
    assert metrics.rows == len(rows) < 400
    assert metrics.accuracy == accuracy_score(true, predicted)
    f1 = f1_score(true, predicted, labels=LABELS, average=None)
    assert [entry.f1 for entry in metrics.labels] == pytest.approx(f1.tolist())
    assert metrics.macro_f1 == pytest.approx(f1.mean())
    assert metrics.confusion == confusion_matrix(true, predicted, labels=LABELS).tolist()
    assert [entry.label for entry in metrics.labels] == list(LABELS)


def test_rows_without_evidence_count_as_wrong(labelled_file, model, tmp_path):
    rows = [row for row in scored(labelled_file, model) if row["predicted_label"]]
    right = pa.table(
        {
            "text": [row["text"] for row in rows] + [None, "", "zzz"],
            "label": [row["predicted_label"] for row in rows] + list(LABELS[:3]),
        }
    )
    path = tmp_path / "right.parquet"
    pq.write_table(right, path)
    found = evaluate((path,), model=model)
    assert found.metrics.accuracy == len(rows) / (len(rows) + 3)
    assert (found.statuses["null_text"], found.statuses["empty_text"]) == (1, 1)
    assert found.statuses["no_known_tokens"] == 1
    assert sum(map(sum, found.metrics.confusion)) == len(rows)


def test_labels_that_the_bundle_has_never_seen_are_counted_apart(labelled_file, model):
    labels = pq.read_table(labelled_file)["label"].to_pylist()
    found = evaluate((labelled_file,), model=model)
    assert found.unseen_labels == {name: labels.count(name) for name in ("spam", "praise")}
    assert found.rows == 400 == found.metrics.rows + sum(found.unseen_labels.values())
    assert sum(found.statuses.values()) == found.metrics.rows


def test_rows_without_a_label_are_left_out_where_that_is_asked_for(model, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(f"text,label\nrefund,{LABELS[0]}\ncard, \nlogin,{LABELS[1]}\n")
    with pytest.raises(DataError, match=r"1 of 3 rows .*: row 2; .*--skip-unlabelled"):
        evaluate((path,), model=model)
    found = evaluate((path,), model=model, skip_unlabelled=True)
    assert (found.rows, found.unlabelled) == (2, 1)


def test_labels_are_spelled_as_the_model_does_where_that_is_asked_for(model, tmp_path):
    path, bad = tmp_path / "in.csv", tmp_path / "bad.jsonl"
    odd = f" {LABELS[0].upper()} "
    path.write_text(f"text,label\nrefund,{odd}\ncard,1,2\nlogin,{LABELS[1]}\n")
    with pytest.raises(DataError, match=r"data row 2 .*--quarantine"):
        evaluate((path,), model=model)
    found = evaluate((path,), model=model, quarantine=bad)
    assert found.unseen_labels == {odd: 1}
    with pytest.raises(TooManyBadRowsError, match="1 of 3 rows are bad"):
        evaluate((path,), model=model, quarantine=bad, max_bad_rows=0)
    found = evaluate((path,), model=model, quarantine=bad, normalize_labels=True)
    assert (found.rows, found.metrics.rows, found.unreadable) == (2, 2, 1)
    assert '"row":2' in bad.read_text().replace(" ", "")


def test_without_one_known_label_there_is_nothing_to_measure(model, tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": ["refund"], "label": ["spam"]}), path)
    with pytest.raises(DataError, match="no row has a label that the model knows"):
        evaluate((path,), model=model)


def test_calibration_error_is_of_the_rows_with_evidence(labelled_file, model):
    rows = [row for row in scored(labelled_file, model) if row["label"] in LABELS]
    answered = [row for row in rows if row["predicted_label"]]
    assert 0 < len(answered) < len(rows)
    confidence = np.array([row["confidence"] for row in answered], np.float64)
    right = np.array([row["label"] == row["predicted_label"] for row in answered])
    bins = np.minimum((confidence * 15).astype(int), 14)
    gap = sum(abs((right - confidence)[bins == index].sum()) for index in range(15))
    found = evaluate((labelled_file,), model=model)
    assert found.ece_after == pytest.approx(gap / len(answered))
    assert found.ece_before != found.ece_after


def test_several_files_are_one_and_the_engine_does_not_matter(labelled_file, model, tmp_path):
    table = pq.read_table(labelled_file)
    halves = (tmp_path / "a.parquet", tmp_path / "b.parquet")
    pq.write_table(table.slice(0, 150), halves[0])
    pq.write_table(table.slice(150), halves[1])
    whole = evaluate((labelled_file,), model=model)
    assert evaluate(halves, model=model).metrics == whole.metrics
    assert evaluate((labelled_file,), model=model, engine="tensorflow").metrics == whole.metrics


def test_it_names_what_it_measured(labelled_file, model, bundle):
    found = evaluate((labelled_file,), model=model).to_dict()
    assert (found["input"], found["model"]) == ((str(labelled_file),), str(model))
    assert len(found["fingerprint"]) == 64


def with_metrics(path, metrics):
    write_bundle(path, replace(random_bundle(), metrics=metrics))
    return path


def test_a_limit_on_the_confidence_answers_what_score_answers(labelled_file, model):
    found = evaluate((labelled_file,), model=model)
    limit = next(one for one in found.limits if one.min_confidence == 0.5)
    output = labelled_file.with_name("limited.parquet")
    score(ScoreConfig(inputs=(labelled_file,), output=output, model=model, min_confidence=0.5))
    rows = [row for row in pq.read_table(output).to_pylist() if row["label"] in LABELS]
    answered = [row for row in rows if row["predicted_label"]]
    assert 0 < len(answered) < len(rows)
    assert (limit.rows, limit.answered) == (len(answered), len(answered) / len(rows))
    right = sum(row["label"] == row["predicted_label"] for row in answered)
    assert limit.accuracy == pytest.approx(right / len(answered))
    assert found.limits[0].rows == sum(
        row["status"] in ("ok", "truncated", "low_confidence") for row in rows
    )


def test_rows_of_the_training_are_remarked_on_and_others_are_not(labelled_file, tmp_path):
    texts = pq.read_table(labelled_file)["text"].combine_chunks()
    for name, known in ("seen", texts.slice(0, 200)), ("new", pa.array(["other", "texts"])):
        told = {"training_texts": asdict(TextSketch.of(known))}
        found = evaluate((labelled_file,), model=with_metrics(tmp_path / name, told))
        assert len(found.warnings) == (name == "seen")
        assert all("that the model was trained on" in one for one in found.warnings)


def test_a_calibration_that_became_worse_is_remarked_on(labelled_file, tmp_path):
    def tested(error):
        measured = {"accuracy": 0.9, "macro_f1": 0.9, "rows": 100}
        return {"test": {"metrics": measured, "ece_after": error}}

    # Labels at random: the model is far too sure.
    found = evaluate((labelled_file,), model=with_metrics(tmp_path / "good", tested(0.01)))
    (warning,) = found.warnings
    assert f"off by {found.ece_after:.3f} on average, by 0.010 on the test rows" in warning
    page = tmp_path / "page.html"
    as_bad = with_metrics(tmp_path / "bad", tested(found.ece_after))
    assert not evaluate((labelled_file,), model=as_bad).warnings
    evaluate((labelled_file,), model=tmp_path / "good", html=page)
    assert "calibration is worse than in training" in page.read_text()


def test_the_surest_mistakes_are_told_with_their_words_where_that_is_asked_for(
    labelled_file, model, tmp_path
):
    page = tmp_path / "page.html"
    assert evaluate((labelled_file,), model=model).errors == ()
    found = evaluate((labelled_file,), model=model, explain=2, html=page)
    confidences = [one.confidence for one in found.errors]
    assert confidences == sorted(confidences, reverse=True)
    assert len(confidences) == 50
    for one in found.errors:
        assert one.true != one.predicted
        assert {word.token for word in one.tokens} <= {*WORDS, "zzz", "qqq", "istanbul"}
        assert 1 <= len(one.tokens) <= 2
    first = found.errors[0]
    assert first.words in page.read_text("utf-8")
    assert found.to_dict()["errors"][0]["tokens"][0]["token"] == first.tokens[0].token
    shown = "\n".join(map(plain, evaluation_tables(found)))
    assert first.tokens[0].token in shown
    assert "words that carried it" in shown
