from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textbatch.model.quality.novelty import LEAST_ROWS, Novelty, numbers_of


def rows(count: int, seed: int = 0, *, scale: float = 1.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    logits = (random.normal(0, 1, (count, 5)) + 4 * np.eye(5)[random.integers(0, 5, count)]) * scale
    unknown = random.beta(1, 20, count)
    return numbers_of(logits.astype(np.float32), 1.5, unknown, random.integers(5, 40, count))


@pytest.mark.parametrize("count", [100, 900, 5000])
def test_as_many_ordinary_rows_are_below_a_limit_as_it_says(count):
    novelty = Novelty.fitted(rows(count))
    assert novelty is not None
    found = novelty.of(rows(40_000, seed=9))
    for limit in (0.01, 0.05, 0.5):
        noise = 4 * np.sqrt(limit * (1 - limit) / count)
        assert (found < limit).mean() == pytest.approx(limit, abs=max(noise, 0.003))


def test_what_is_unlike_has_a_small_novelty():
    novelty = Novelty.fitted(rows(500))
    usual, flat = np.float32([[4, 0, 0, 0, 0]]), np.float32([[0.1, 0, 0, 0, 0]])
    share, length = np.array([0.05]), np.array([20])
    ordinary = novelty.of(numbers_of(usual, 1.5, share, length))[0]
    assert ordinary > 0.3
    for unlike in (
        numbers_of(flat, 1.5, share, length),
        numbers_of(usual, 1.5, np.array([0.9]), length),
        numbers_of(usual, 1.5, share, np.array([1])),
        numbers_of(usual, 1.5, share, np.array([4000])),
    ):
        assert novelty.of(unlike)[0] < ordinary / 3


@settings(deadline=None)
@given(st.integers(LEAST_ROWS, 1500), st.integers(0, 9), st.floats(0.1, 30))
def test_it_falls_with_the_score_from_1_to_nothing_and_is_a_float32(count, seed, scale):
    novelty = Novelty.fitted(rows(count, seed))
    others = rows(50, seed + 1, scale=scale)
    found = novelty.of(others)
    assert found.dtype == np.float32
    assert ((found >= 0) & (found <= 1)).all()
    farther = others.copy()
    farther[:, 2] += 0.3
    assert (novelty.of(farther) <= found).all()
    np.testing.assert_array_equal(found[7:8], novelty.of(others[7:8]))


def test_few_rows_say_too_little_and_equal_ones_do_no_harm():
    assert Novelty.fitted(rows(LEAST_ROWS - 1)) is None
    same = np.repeat(rows(1), 50, axis=0)
    novelty = Novelty.fitted(same)
    assert novelty.is_sound
    assert np.isfinite(novelty.of(rows(20))).all()
    assert novelty.of(same).min() > 0.01
