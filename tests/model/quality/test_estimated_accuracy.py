from __future__ import annotations

import numpy as np
import pytest

from textbatch.data.output.signs import Signs
from textbatch.model.quality.estimated_accuracy import estimated_accuracy
from textbatch.model.quality.reference import AnswerSigns, Reference, bins_of
from textbatch.types import CONFIDENCE_BINS


def rows_of(random, rows, *, shift=0.0):
    """Confidences, and whether the answers are right: less often than they say, with a shift."""
    odds = random.normal(2, 1.5, rows)
    right = random.random(rows) < 1 / (1 + np.exp(-(odds - shift)))
    return (1 / (1 + np.exp(-odds))).astype(np.float32), right


def signs_of(confidence) -> Signs:
    answers = AnswerSigns(("a", "b"))
    answers.add_best(np.zeros(len(confidence), np.int64), confidence)
    return answers.signs(np.zeros(0, np.int64))


def reference_of(confidence, right) -> Reference:
    found = np.bincount(bins_of(confidence)[right], minlength=CONFIDENCE_BINS)
    return Reference(signs=signs_of(confidence), right=found.tolist())


@pytest.mark.parametrize("shift", [0.0, 0.15])
@pytest.mark.parametrize("held_out", [100, 1_000])
def test_the_interval_holds_the_true_accuracy_as_often_as_it_says(held_out, shift):
    random, held = np.random.default_rng(0), 0
    for _ in range(200):
        reference = reference_of(*rows_of(random, held_out, shift=shift))
        confidence, right = rows_of(random, 2_000, shift=shift)
        found = estimated_accuracy(reference, signs_of(confidence))
        held += found.low <= right.mean() <= found.high
    assert held >= 180


def test_held_out_rows_correct_what_the_confidences_say():
    random = np.random.default_rng(1)
    reference = reference_of(*rows_of(random, 20_000, shift=0.5))
    confidence, right = rows_of(random, 20_000, shift=0.5)
    assert confidence.mean() - right.mean() > 0.05
    found = estimated_accuracy(reference, signs_of(confidence))
    assert found.accuracy == pytest.approx(right.mean(), abs=0.01)
    assert (found.rows, found.held_out) == (20_000, 20_000)


def test_few_held_out_rows_change_little_and_tell_less():
    random = np.random.default_rng(2)
    confidence, _ = rows_of(random, 5_000)
    few, many = (
        estimated_accuracy(reference_of(*rows_of(random, rows)), signs_of(confidence))
        for rows in (20, 20_000)
    )
    assert few.accuracy == pytest.approx(confidence.mean(), abs=0.05)
    assert few.high - few.low > 3 * (many.high - many.low)


def test_certain_answers_that_were_all_right_end_at_one():
    sure = np.ones(500, np.float32)
    found = estimated_accuracy(reference_of(sure, np.ones(500, bool)), signs_of(sure))
    assert 0.99 < found.low <= found.accuracy <= found.high <= 1


def test_nothing_known_has_no_estimate():
    random = np.random.default_rng(3)
    confidence, right = rows_of(random, 10)
    assert estimated_accuracy(None, signs_of(confidence)) is None
    assert estimated_accuracy(reference_of(confidence, right), None) is None
    assert estimated_accuracy(reference_of(confidence, right), signs_of(confidence[:0])) is None
    assert estimated_accuracy(reference_of(confidence[:0], right[:0]), signs_of(confidence)) is None
