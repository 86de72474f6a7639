from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textbatch.errors import DataError
from textbatch.model.quality.calibration import (
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)


def random_logits(rows: int, labels: int, *, scale: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scale, (rows, labels)).astype(np.float32)


def drawn_labels(logits: np.ndarray, temperature: float, seed: int) -> np.ndarray:
    """Labels as likely as the logits say at a temperature."""
    random = np.random.default_rng(seed)
    cumulated = softmax(logits, temperature).cumsum(axis=1)
    return np.minimum(
        (random.random((len(logits), 1)) > cumulated).sum(axis=1), logits.shape[1] - 1
    )


@settings(deadline=None)
@given(
    rows=st.integers(1, 70),
    labels=st.integers(2, 100),
    scale=st.sampled_from([0.0, 1e-30, 1.0, 50.0, 1e6, 1e37]),
    temperature=st.sampled_from([0.05, 0.7, 1.0, 20.0]),
    seed=st.integers(0, 2**32),
    data=st.data(),
)
def test_probabilities_sum_to_1_and_no_row_depends_on_the_others(
    rows, labels, scale, temperature, seed, data
):
    logits = random_logits(rows, labels, scale=scale, seed=seed)
    together = softmax(logits, temperature)
    assert together.dtype == np.float32
    assert together.sum(axis=1) == pytest.approx(np.ones(rows), abs=1e-5)
    chosen = data.draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=20))
    assert softmax(logits[chosen], temperature).tobytes() == together[chosen].tobytes()
    assert softmax(logits[chosen[:1]], temperature).tobytes() == together[chosen[:1]].tobytes()


def test_softmax_of_known_logits():
    logits = np.log(np.array([[1, 2, 5], [4, 4, 8]], np.float32))
    assert softmax(logits) == pytest.approx(np.array([[1, 2, 5], [2, 2, 4]]) / 8)
    hot = np.sqrt([[1, 2, 5], [4, 4, 8]])
    assert softmax(logits, 2.0) == pytest.approx(hot / hot.sum(axis=1, keepdims=True))


def test_softmax_of_no_rows_has_no_rows():
    assert softmax(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_likelihood_of_known_logits():
    logits = np.log(np.array([[1, 3], [1, 1]], np.float32))
    expected = -(np.log(3 / 4) + np.log(1 / 2)) / 2
    assert negative_log_likelihood(logits, np.array([1, 0])) == pytest.approx(expected)


def test_likelihood_of_an_impossible_label_is_finite():
    logits = np.array([[-1e30, 1e30]], np.float32)
    assert negative_log_likelihood(logits, np.array([0])) == pytest.approx(2e30)


def test_calibration_error_of_a_known_example():
    # Bins of width 1/2: 0.4 is right; 0.6, 0.8 and 1.0 are right, right, wrong.
    probabilities = np.array(
        [[0.4, 0.3, 0.3], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1], [0.0, 0.0, 1.0]], np.float32
    )
    label_ids = np.array([0, 0, 1, 0])
    expected = (1 * abs(1 - 0.4) + 3 * abs(2 / 3 - 0.8)) / 4
    error = expected_calibration_error(probabilities, label_ids, num_bins=2)
    assert error == pytest.approx(expected)


def test_calibration_error_of_sure_and_right_answers_is_0():
    assert expected_calibration_error(np.eye(3, dtype=np.float32), np.arange(3)) == 0
    assert expected_calibration_error(np.eye(3, dtype=np.float32), np.arange(3)[::-1]) == 2 / 3


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_temperature_that_labels_were_drawn_at_is_found(temperature):
    logits = random_logits(20_000, 4, scale=2.0, seed=1)
    label_ids = drawn_labels(logits, temperature, seed=2)
    found = fit_temperature(logits, label_ids)
    assert found.temperature == pytest.approx(temperature, rel=0.05)
    assert found.rows == 20_000
    assert found.ece_after < 0.02
    assert found.ece_before == expected_calibration_error(softmax(logits), label_ids)


@settings(deadline=None)
@given(
    rows=st.integers(1, 40),
    labels=st.integers(2, 9),
    scale=st.sampled_from([0.0, 0.1, 3.0, 300.0, 1e30]),
    right=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_fitting_never_makes_labels_less_likely(rows, labels, scale, right, seed):
    logits = random_logits(rows, labels, scale=scale, seed=seed)
    label_ids = logits.argmax(axis=1) if right else drawn_labels(logits, 30.0, seed)
    found = fit_temperature(logits, label_ids)
    assert found.nll_after <= found.nll_before
    assert 0.05 <= found.temperature <= 20
    assert found.nll_after == negative_log_likelihood(logits, label_ids, found.temperature)


def test_logits_that_say_nothing_keep_temperature_1():
    assert fit_temperature(np.zeros((9, 3), np.float32), np.arange(9) % 3).temperature == 1


def test_no_row_to_fit_on_is_refused():
    with pytest.raises(DataError, match="no validation row has a word"):
        fit_temperature(np.zeros((0, 3), np.float32), np.zeros(0, np.int64))
