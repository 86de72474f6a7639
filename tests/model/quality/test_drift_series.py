from __future__ import annotations

import math

import numpy as np
import pytest

from textbatch.data.output.signs import Signs
from textbatch.model.quality.drift_series import Night, drift_series
from textbatch.model.quality.e_process import _log_gamma, counts_evidence, log_weights
from textbatch.model.quality.reference import (
    AnswerSigns,
    Reference,
    lengths_counted,
    unknown_tokens,
)

LABELS = ("a", "b", "c", "d")


def sample(random, rows, *, moved=0.0):
    """Rows, some of which are of another kind."""
    other = random.random(rows) < moved
    best = np.where(other, 0, random.choice(len(LABELS), rows))
    sure = np.where(other, 0.4, np.maximum(random.beta(8, 1, rows), 0.25)).astype(np.float32)
    characters = np.maximum(1, random.lognormal(np.where(other, 3, 5), 0.5)).astype(np.int64)
    tokens = characters // 6 + 1
    unknown = random.binomial(tokens, np.where(other, 0.5, random.beta(0.5, 8, rows)))
    answers = AnswerSigns(LABELS)
    answers.add_best(best, sure)
    return answers.signs(lengths_counted(characters)), unknown_tokens(tokens, tokens - unknown)


def reference_of(random, rows=1_000):
    signs, unknown = sample(random, rows)
    return Reference(signs=signs, right=signs.confidences, unknown=unknown)


def nights_of(random, sizes, *, moved=0.0):
    some = [sample(random, int(rows), moved=moved) for rows in sizes]
    return [Night(time=f"night {at}", signs=one, unknown=two) for at, (one, two) in enumerate(some)]


@pytest.mark.parametrize("begin", [1, 2, 30, 120])
def test_a_change_is_seen_whenever_it_begins(begin):
    random = np.random.default_rng(begin)
    reference = reference_of(random)
    nights = nights_of(random, [300] * (begin - 1))
    assert begin == 1 or not drift_series(reference, nights).drifted
    nights += nights_of(random, [300] * 6, moved=0.3)
    found = drift_series(reference, nights)
    assert found.drifted
    assert found.runs == begin + 5
    (lengths,) = (one for one in found.measures if one.of == "lengths")
    assert lengths.drifted
    assert abs(lengths.since - begin) <= 1
    assert lengths.since_time == nights[lengths.since - 1].time
    assert lengths.effects[-1] == pytest.approx(0.25, abs=0.08)


def test_a_small_change_is_no_drift_however_sure_it_is():
    random = np.random.default_rng(0)
    reference = reference_of(random, 5_000)
    found = drift_series(reference, nights_of(random, [3_000] * 20, moved=0.04))
    assert max(one.log10_e for one in found.measures) > 5
    assert not found.drifted


def test_the_evidence_has_an_expectation_of_at_most_one_for_any_share():
    """All sequences of a reference of 4 rows and 2 nights of 3, summed up exactly."""
    sizes = np.array([4, 3, 3])
    for share in (0.05, 0.3, 0.5):
        total = 0.0
        for inside in np.ndindex(5, 4, 4):
            times = math.prod(math.comb(n, k) for n, k in zip(sizes, inside, strict=True))
            chance = times * share ** sum(inside) * (1 - share) ** (sizes.sum() - sum(inside))
            told = counts_evidence(np.array(inside)[:, None], sizes)[:, 0]
            total += chance * float(np.exp(told + log_weights(2)).sum())
        assert total <= 1


def test_the_weights_of_the_nights_are_at_most_one_together():
    assert 0.85 < np.exp(log_weights(1_000_000)).sum() < 1


def test_the_logarithm_of_the_gamma_function():
    values = np.array([0.5, 1.0, 1.5, 7.0, 123.5, 1e9])
    exact = [math.lgamma(one) for one in values]
    assert _log_gamma(values) == pytest.approx(exact, rel=1e-9, abs=1e-9)


def test_few_rows_and_missing_parts_are_no_trouble():
    random = np.random.default_rng(1)
    reference = reference_of(random)
    assert drift_series(None, nights_of(random, [100])) is None
    assert drift_series(reference, []) is None
    empty = Night(time="", signs=Signs())
    assert drift_series(reference, [empty]) is None
    found = drift_series(reference, [empty, *nights_of(random, [1, 5]), empty])
    assert not found.drifted
    old = Reference(
        signs=Signs(
            answers=reference.signs.answers,
            confidences=reference.signs.confidences,
            confidence_sums=reference.signs.confidence_sums,
        ),
        right=reference.right,
    )
    found = drift_series(old, nights_of(random, [100, 100]))
    assert {one.of for one in found.measures} == {"labels", "confidences"}
