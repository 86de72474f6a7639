"""Held-out logits → linear model → temperature."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from support.bundles import LABELS, random_bundle, random_texts

from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.errors import DataError
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import fit_temperature, softmax
from textbatch.training.calibrate import calibrate
from textbatch.training.linear import held_out_rows
from textbatch.training.split.dataset import Splits
from textbatch.types import has_evidence

CLASSIFIER = random_bundle(labels=tuple(sorted(LABELS))).classifier


def rows(count: int, *, seed: int) -> LabelledRows:
    """Rows whose label is mostly what the network answers, some of them without evidence."""
    texts = [text for text in random_texts(3 * count, seed=seed) if text and text.strip()][:count]
    strings = pa.array(texts, pa.large_string())
    with open_predictor(CLASSIFIER) as predictor:
        logits, _ = predictor.predict_logits(strings)
    best = np.nan_to_num(logits).argmax(axis=1)
    other = np.random.default_rng(seed).integers(0, 4, count)
    labels = np.where(np.random.default_rng(seed + 1).random(count) < 0.3, other, best)
    return LabelledRows(
        texts=strings, labels=pa.array([CLASSIFIER.labels[label] for label in labels])
    )


@pytest.fixture(scope="module")
def splits() -> Splits:
    return Splits(
        training=rows(200, seed=1),
        validation=rows(120, seed=2),
        test=rows(30, seed=3),
        labels=CLASSIFIER.labels,
        warnings=[],
    )


def test_the_temperature_is_of_the_validation_rows_and_in_the_classifier(splits):
    calibrated = calibrate(CLASSIFIER, splits, blend=False)
    with open_predictor(CLASSIFIER) as predictor:
        logits, status = predictor.predict_logits(splits.validation.texts)
    evidence = has_evidence(status)
    assert 0 < evidence.sum() < len(evidence)
    true = np.array(
        [CLASSIFIER.labels.index(name) for name in splits.validation.labels.to_pylist()]
    )
    assert calibrated.calibration == fit_temperature(logits[evidence], true[evidence])
    assert calibrated.classifier.temperature == calibrated.calibration.temperature != 1
    assert calibrated.classifier.blend is calibrated.linear is None
    assert np.array_equal(calibrated.label_ids, true[evidence])
    expected = softmax(logits[evidence], calibrated.classifier.temperature)
    assert np.array_equal(calibrated.probabilities, expected)


def test_the_classifier_answers_what_was_calibrated(splits):
    """With the linear model too: what the held-out rows were told is not what the bundle says."""
    calibrated = calibrate(CLASSIFIER, splits, blend=True)
    assert calibrated.linear is not None
    assert (calibrated.classifier.blend is not None) == (calibrated.linear.weight > 0)
    if calibrated.classifier.blend:
        assert calibrated.classifier.blend.weight == calibrated.linear.weight


def test_answers_of_a_cross_validation_take_the_place_of_the_validation_rows(splits):
    others = held_out_rows(CLASSIFIER, splits.test)
    calibrated = calibrate(CLASSIFIER, splits, blend=False, out_of_fold=others)
    assert calibrated.held_out is others
    assert calibrated.calibration.rows == others.evidence.sum() < len(splits.validation)


def test_rows_without_evidence_calibrate_nothing(splits):
    unknown = LabelledRows(
        texts=pa.array(["zzz", "qqq"], pa.large_string()), labels=pa.array(["account"] * 2)
    )
    with pytest.raises(DataError, match="no validation row has a word"):
        calibrate(CLASSIFIER, splits, blend=False, out_of_fold=held_out_rows(CLASSIFIER, unknown))
