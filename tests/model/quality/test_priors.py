"""Another mix of labels: estimated from answers, and allowed for in them."""

from __future__ import annotations

import numpy as np
import pytest

from textbatch.model.quality.calibration import softmax
from textbatch.model.quality.priors import (
    LEAST_SHIFT,
    AnswerSample,
    adapted_priors,
    ratios_of,
    reweighted,
)
from textbatch.model.quality.reference import Reference, reference_of_rows

LABELS = ("a", "b", "c", "d")


def answers(rows: int, shares: tuple[float, ...], seed: int = 0):
    """Exact posteriors for a mix of equal parts, of rows that have another mix; and the truth."""
    random = np.random.default_rng(seed)
    true = random.choice(len(shares), rows, p=shares)
    seen = random.normal(0, 1, (rows, len(shares))) + 1.5 * np.eye(len(shares))[true]
    return softmax((1.5 * seen).astype(np.float32)), true


@pytest.fixture(scope="module")
def reference() -> Reference:
    found, true = answers(4_000, (0.25,) * 4, seed=1)
    return reference_of_rows(found, true, LABELS)


def test_the_mix_is_found_and_adapted_answers_are_right_more_often(reference):
    found, true = answers(20_000, (0.7, 0.1, 0.1, 0.1))
    priors = adapted_priors(found, reference, LABELS)
    assert priors.adapted
    assert list(priors.now.values()) == pytest.approx([0.7, 0.1, 0.1, 0.1], abs=0.02)
    better = reweighted(found, ratios_of(priors))
    before, now = ((one.argmax(axis=1) == true).mean() for one in (found, better))
    assert now > before + 0.03
    # Confidences mean what they say again.
    assert better.max(axis=1).mean() == pytest.approx(now, abs=0.01)
    assert better.sum(axis=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("rows", [0, 1, 100, 5_000])
def test_without_another_mix_nothing_is_adapted(reference, rows):
    priors = [
        adapted_priors(answers(rows, (0.25,) * 4, seed=seed)[0], reference, LABELS)
        for seed in range(20)
    ]
    assert not any(one.adapted for one in priors)
    assert {one.rows for one in priors} == {rows}


def test_a_sure_but_small_shift_changes_nothing(reference):
    shares = (0.25 + LEAST_SHIFT / 2, 0.25, 0.25, 0.25 - LEAST_SHIFT / 2)
    priors = adapted_priors(answers(100_000, shares)[0], reference, LABELS)
    assert 0.01 < priors.shift < LEAST_SHIFT
    assert not priors.adapted


def test_few_held_out_rows_are_a_sample_too():
    found, true = answers(40, (0.25,) * 4, seed=2)
    few = reference_of_rows(found, true, LABELS)
    now, _ = answers(50_000, (0.35, 0.25, 0.2, 0.2))
    # As sure as such few rows allow, however many there are now.
    assert not adapted_priors(now, few, LABELS).adapted


def test_no_label_becomes_impossible_and_an_unseen_one_may_come():
    found, true = answers(500, (0.25,) * 4)
    found[:, 3] = 0
    reference = reference_of_rows(found / found.sum(axis=1, keepdims=True), true % 3, LABELS)
    only = np.tile(np.float32([[0.97, 0.01, 0.01, 0.01]]), (2_000, 1))
    priors = adapted_priors(only, reference, LABELS)
    assert all(share > 0 for share in priors.now.values())
    assert np.isfinite(reweighted(only, ratios_of(priors))).all()


def test_one_label_alone_has_no_mix():
    one = np.ones((50, 1), np.float32)
    reference = reference_of_rows(one, np.zeros(50, np.int64), ("a",))
    assert not adapted_priors(one, reference, ("a",)).adapted


def test_rows_without_evidence_stay_without():
    gone = np.full((2, 4), np.nan, np.float32)
    assert np.isnan(reweighted(gone, np.array([2.0, 1, 1, 1]))).all()


def test_a_row_has_the_same_bits_alone(reference):
    found, _ = answers(333, (0.4, 0.2, 0.2, 0.2))
    ratios = np.array([1.6, 0.8, 0.81, 0.79])
    alone = np.concatenate([reweighted(found[i : i + 1], ratios) for i in range(len(found))])
    assert np.array_equal(alone, reweighted(found, ratios))


@pytest.mark.parametrize("step", [1, 7, 250, 1_000])
def test_the_sample_does_not_depend_on_the_chunks(step):
    found, _ = answers(1_000, (0.25,) * 4)
    evidence = np.arange(1_000) % 5 > 0

    def sample(size):
        taken = AnswerSample(4, most=100)
        for start in range(0, 1_000, size):
            taken.add(found[start : start + size], evidence[start : start + size])
        return taken.sampled()

    assert len(sample(step)) == 100
    assert np.array_equal(sample(step), sample(1_000))


def test_the_sample_is_a_random_one_and_few_rows_are_all_taken():
    taken = AnswerSample(1, most=2_000)
    places = np.arange(50_000, dtype=np.float32)[:, None]
    taken.add(places, np.ones(50_000, np.bool_))
    assert taken.sampled().mean() == pytest.approx(25_000, abs=1_500)
    few = AnswerSample(1)
    few.add(places[:10], np.ones(10, np.bool_))
    assert sorted(few.sampled()[:, 0]) == list(range(10))


def test_references_add_up_only_where_both_tell_it(reference):
    both = reference + reference
    assert both.probability_sums["a"] == 2 * reference.probability_sums["a"]
    older = Reference(signs=reference.signs, right=reference.right)
    assert (reference + older).probability_sums == (older + reference).probability_sums == {}
