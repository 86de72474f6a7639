from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from textbatch.model.quality.confidence_limits import LIMITS, measure_limits


def test_each_limit_has_its_share_its_accuracy_and_the_interval_of_clopper_and_pearson():
    random = np.random.default_rng(1)
    confidence = random.uniform(0.3, 1, 500).astype(np.float32)
    right = random.random(500) < confidence
    found = measure_limits(confidence, right, rows=520)
    assert [one.min_confidence for one in found] == list(LIMITS)
    for one in found:
        kept = right[confidence >= np.float32(one.min_confidence)]
        assert (one.rows, one.answered) == (len(kept), len(kept) / 520)
        assert one.accuracy == kept.mean()
        wanted = binomtest(int(kept.sum()), len(kept)).proportion_ci(0.95, method="exact")
        assert (one.low, one.high) == pytest.approx((wanted.low, wanted.high))


def test_a_confidence_at_the_limit_is_answered_as_score_does():
    found = measure_limits(np.array([0.9, 0.6], np.float32), np.array([True, True]), rows=2)
    assert {one.min_confidence: one.rows for one in found}[0.9] == 1


@pytest.mark.parametrize(("right", "low", "high"), [(True, 0.69150, 1.0), (False, 0.0, 0.30850)])
def test_answers_that_are_all_right_or_all_wrong_have_an_interval_too(right, low, high):
    found = measure_limits(np.full(10, 0.7, np.float32), np.full(10, right), rows=10)
    assert (found[0].low, found[0].high) == pytest.approx((low, high), abs=1e-5)


def test_without_an_answer_nothing_is_claimed():
    empty = measure_limits(np.empty(0, np.float32), np.empty(0, bool), rows=3)
    assert {(one.rows, one.answered, one.accuracy, one.low, one.high) for one in empty} == {
        (0, 0.0, None, None, None)
    }
