"""What the weights of labelled rows change, and what they leave as it is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import accuracy_score, f1_score
from support.bundles import LABELS, random_texts
from support.training import config_of, labelled_table

import textbatch
from textbatch.errors import ConflictError
from textbatch.model.linear.blend_weight import fit_blend_weight
from textbatch.model.linear.text_model import LinearFeatures, fit_linear_text
from textbatch.model.quality.calibration import (
    expected_calibration_error,
    fit_temperature,
    softmax,
)
from textbatch.scoring.evaluate_api import evaluate
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary
from textbatch.training.fit.network import balanced_weights
from textbatch.training.train import train

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.integers(0, 3, 200)
LOGITS = (RANDOM.normal(size=(200, 3)) + 2 * np.eye(3)[TRUE]).astype(np.float32)
#: Whole weights: each row as often as its weight says is the same.
TIMES = RANDOM.integers(1, 4, 200)
AGAIN = np.repeat(np.arange(200), TIMES)


def test_a_weight_of_2_measures_as_the_row_twice():
    weights = TIMES.astype(float)
    found = fit_temperature(LOGITS, TRUE, weights)
    expected = fit_temperature(LOGITS[AGAIN], TRUE[AGAIN])
    for name in ("temperature", "ece_before", "ece_after", "nll_before", "nll_after"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-5)
    shares = softmax(LOGITS)
    error = expected_calibration_error(shares, TRUE, weights=weights)
    assert error == pytest.approx(expected_calibration_error(shares[AGAIN], TRUE[AGAIN]))
    margins = (RANDOM.normal(size=(200, 3)) + np.eye(3)[TRUE]).astype(np.float32)
    assert fit_blend_weight(LOGITS, margins, TRUE, weights) == pytest.approx(
        fit_blend_weight(LOGITS[AGAIN], margins[AGAIN], TRUE[AGAIN]), abs=1e-5
    )


@pytest.mark.parametrize("method", ["svm", "logistic"])
@pytest.mark.parametrize("subwords", [False, True])
def test_a_linear_model_goes_by_the_heavier_of_contradictory_rows(method, subwords):
    texts = pa.array(["refund card"] * 4 + ["parcel late"] * 4, pa.large_string())
    vocabulary = Vocabulary(tokens=("[PAD]", "[UNK]", "refund", "card", "parcel", "late"))
    tokens = Tokenizer(vocabulary=vocabulary, max_sequence_length=5).encode(texts)
    labels = np.array([0, 1, 0, 1, 1, 0, 1, 0])
    for heavy in (0, 1):
        model = fit_linear_text(
            tokens,
            labels,
            vocabulary=vocabulary,
            features=LinearFeatures(max_pairs=9, subwords=subwords),
            method=method,
            weights=np.where(labels == heavy, 5.0, 0.2),
        )
        assert (model.margins(tokens).argmax(axis=1) == heavy).all()


def test_rare_labels_count_more_by_their_weight():
    labels = np.array([0, 0, 0, 1])
    assert balanced_weights(labels, np.ones(4)) == pytest.approx(balanced_weights(labels))
    # Three light rows of a label are as rare as one of the other.
    even = balanced_weights(labels, np.array([1, 1, 1, 3.0]))
    assert even == pytest.approx(np.array([1, 1, 1, 3]) / 1.5)


@pytest.mark.usefixtures("quick_recipe")
def test_equal_weights_make_the_same_model_and_others_another(trained, labelled_file, tmp_path):
    table = pq.read_table(labelled_file)
    path = tmp_path / "rows.parquet"
    found = {}
    for name, weights in (("3", [3.0] * len(table)), ("two", [1.0, 9.0] * (len(table) // 2))):
        pq.write_table(table.append_column("w", pa.array(weights)), path)
        found[name] = train(config_of(path, tmp_path / name, weight_column="w"))
    assert found["3"].fingerprint == trained[0].fingerprint != found["two"].fingerprint
    assert (found["3"].test.weighted, found["two"].test.weighted) == (False, True)


@pytest.mark.usefixtures("quick_recipe")
def test_rows_of_weight_0_are_as_good_as_not_there(trained, labelled_file, tmp_path):
    rows = pq.read_table(labelled_file).append_column("w", pa.array([1.0] * 300))
    wrong = labelled_table(40, seed=7).set_column(1, "queue", pa.array(["spam"] * 40))
    wrong = wrong.append_column("w", pa.array([0.0] * 40))
    pq.write_table(pa.concat_tables([rows, wrong]), tmp_path / "rows.parquet")
    report = train(config_of(tmp_path / "rows.parquet", tmp_path / "model", weight_column="w"))
    assert report.fingerprint == trained[0].fingerprint
    assert report.left_out == {"weight_0": 40}


def test_evaluate_measures_by_weight(model, tmp_path):
    texts = random_texts(300, seed=5)
    true = RANDOM.choice(LABELS, 300)
    weights = RANDOM.integers(0, 5, 300)
    table = pa.table({"text": texts, "label": true, "w": weights})
    pq.write_table(table, tmp_path / "in.parquet")
    found = evaluate((tmp_path / "in.parquet",), model=model, weight_column="w")
    scored = textbatch.score(table, model=model).column("predicted_label")
    predicted = [one or "none" for one in scored.to_pylist()]
    kept = weights > 0
    told = found.metrics
    assert told.accuracy == pytest.approx(accuracy_score(true, predicted, sample_weight=weights))
    assert told.macro_f1 == pytest.approx(
        f1_score(true, predicted, labels=LABELS, average="macro", sample_weight=weights)
    )
    assert (found.rows, found.weightless, found.weighted) == (kept.sum(), (~kept).sum(), True)
    assert "weights" in found.facts()


@pytest.mark.parametrize("column", ["body", "queue"])
def test_weights_have_a_column_of_their_own(column, labelled_file, tmp_path):
    with pytest.raises(ConflictError, match="are both column"):
        config_of(labelled_file, tmp_path / "model", weight_column=column)
