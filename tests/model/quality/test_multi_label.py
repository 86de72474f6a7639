"""Curves, thresholds and metrics of sets of labels."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from textbatch.model.quality.multi_label import fit_curves, given_labels, sigmoid
from textbatch.model.quality.multi_label_metrics import measure_sets, pair_calibration_error


def rows(count: int = 2_000):
    """Logits that are twice too sure and a little too high, and what is true."""
    random = np.random.default_rng(0)
    honest = random.normal(-1, 2, (count, 2))
    true = random.random((count, 2)) < sigmoid(honest)
    return np.asarray(2 * honest + 1, np.float32), true


def test_a_curve_makes_probabilities_mean_what_they_say():
    logits, true = rows()
    found = fit_curves(logits, true)
    for one in found.curves:
        assert one.scale == pytest.approx(0.5, abs=0.1)
        assert one.offset == pytest.approx(-0.5, abs=0.2)
    assert pair_calibration_error(found.probabilities(logits), true) < 0.02


def test_the_threshold_is_that_of_the_best_f1():
    logits, true = rows()
    found = fit_curves(logits, true)
    chances = found.probabilities(logits)
    best = measure_sets(true, given_labels(chances, found.thresholds), ["a", "b"]).macro_f1
    for other in np.linspace(0.1, 0.9, 17):
        thresholds = np.full(2, other, np.float32)
        measured = measure_sets(true, given_labels(chances, thresholds), ["a", "b"])
        assert measured.macro_f1 <= best + 1e-9


def test_a_label_with_few_held_out_rows_has_the_plain_curve():
    logits, true = rows(30)
    true[:, 0] = np.arange(30) < 4
    true[:, 1] = True
    assert [(one.scale, one.offset, one.threshold) for one in fit_curves(logits, true).curves] == [
        (1.0, 0.0, 0.5)
    ] * 2


def test_a_row_has_the_same_bits_alone_and_among_others():
    logits, true = rows(101)
    found = fit_curves(logits, true)
    together = found.probabilities(logits)
    alone = [found.probabilities(logits[row : row + 1])[0] for row in range(len(logits))]
    assert np.array_equal(together, np.array(alone))
    assert np.isnan(found.probabilities(np.full((1, 2), np.nan, np.float32))).all()


def test_the_metrics_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    true, given = random.random((2, 50, 3)) < 0.4
    found = measure_sets(true, given, ["a", "b", "c"])
    assert found.micro_f1 == pytest.approx(metrics.f1_score(true, given, average="micro"))
    assert found.macro_f1 == pytest.approx(metrics.f1_score(true, given, average="macro"))
    assert found.subset_accuracy == pytest.approx(metrics.accuracy_score(true, given))
    assert [one.rows for one in found.labels] == true.sum(axis=0).tolist()
    beyond = np.ones(50, bool)
    assert measure_sets(true, given, ["a", "b", "c"], beyond=beyond).subset_accuracy == 0


def test_nothing_to_find_and_nothing_found_is_right():
    nothing = np.zeros((3, 2), bool)
    found = measure_sets(nothing, nothing, ["a", "b"])
    assert (found.micro_f1, found.macro_f1, found.subset_accuracy) == (1, 1, 1)
    assert [one.f1 for one in found.labels] == [None, None]
