from __future__ import annotations

import numpy as np
import pytest

from textbatch.errors import QualityGateError
from textbatch.model.quality.thresholds import HeldOut, _shown, always_withheld, thresholds


def held_out(rows=4000, *, seed=0, num_labels=2):
    """Answers that are right as often as they are sure."""
    random = np.random.default_rng(seed)
    confidence = random.uniform(1 / num_labels, 1, rows)
    predicted = random.integers(num_labels, size=rows)
    probabilities = np.full((rows, num_labels), 0.0)
    probabilities[:] = ((1 - confidence) / (num_labels - 1))[:, None]
    probabilities[np.arange(rows), predicted] = confidence
    right = random.random(rows) < confidence
    true = np.where(right, predicted, (predicted + 1) % num_labels)
    return HeldOut.of(probabilities.astype(np.float32), true)


@pytest.mark.parametrize("rows", [600, 4000])
@pytest.mark.parametrize("precision", [0.8, 0.9, 0.95])
def test_labels_above_their_threshold_are_right_often_enough_as_often_as_promised(rows, precision):
    found = [thresholds(held_out(rows, seed=seed), ("a", "b"), precision) for seed in range(30)]
    # Answers are spread evenly from the threshold to 1, and right as often as they are sure.
    true_precisions = (1 + np.array(found)) / 2
    assert (true_precisions >= precision).mean() >= 0.85  # promised: 0.95


def test_a_higher_precision_asks_for_more_confidence():
    lower, higher = (thresholds(held_out(), ("a", "b"), p) for p in (0.8, 0.9))
    assert (higher > lower).all()


def test_too_few_answers_are_refused_with_their_number_where_that_is_asked_for():
    with pytest.raises(QualityGateError, match="2 of 2 labels have fewer than 59 held-out answers"):
        thresholds(held_out(60), ("a", "b"), 0.95, strict=True)


def test_a_label_with_too_few_answers_is_always_withheld_and_the_others_are_not():
    few = HeldOut(confidences=[[0.9] * 59, [0.8] * 58], correct=[[True] * 59, [True] * 58])
    found = thresholds(few, ("a", "b"), 0.95)
    assert found[0] == np.float32(0.9)
    assert always_withheld(found, ("a", "b")) == ("b",)


def test_a_label_that_is_never_right_often_enough_is_always_withheld():
    wrong = HeldOut(confidences=[[0.9] * 100, [0.8] * 100], correct=[[True] * 100, [False] * 100])
    found = thresholds(wrong, ("a", "b"), 0.9)
    assert found[0] == np.float32(0.9)
    assert found[1] > 1


def test_equal_confidences_stand_or_fall_together():
    mixed = HeldOut(confidences=[[0.9] * 100 + [0.8] * 100], correct=[[True] * 150 + [False] * 50])
    assert thresholds(mixed, ("a",), 0.9)[0] == np.float32(0.9)


@pytest.mark.parametrize("precision", [0.3, 0.8, 0.95, 0.999])
def test_the_bound_is_that_of_clopper_and_pearson(precision):
    beta = pytest.importorskip("scipy.stats").beta
    for share in (0.0, precision, (1 + precision) / 2, 1.0):
        correct = np.random.default_rng(3).random(3_000) < share
        right, answers = np.cumsum(correct), np.arange(1, len(correct) + 1)
        bound = np.where(right > 0, beta.ppf(0.05, np.maximum(right, 1), answers - right + 1), 0.0)
        clear = np.abs(bound - precision) > 1e-9
        np.testing.assert_array_equal(
            _shown(correct, precision)[clear], (bound >= precision)[clear]
        )
