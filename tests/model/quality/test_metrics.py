from __future__ import annotations

import numpy as np
import pytest

from textbatch.model.quality.metrics import LabelMetrics, measure
from textbatch.training.fit.network import balanced_weights


def test_metrics_of_a_known_example():
    true = np.array([0, 0, 0, 1, 1, 2])
    predicted = np.array([0, 0, 1, 1, 2, 2])
    found = measure(true, predicted, ["a", "b", "c"])
    assert found.rows == 6
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.confusion == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    assert [(label.label, label.rows) for label in found.labels] == [("a", 3), ("b", 2), ("c", 1)]
    assert [label.precision for label in found.labels] == pytest.approx([1, 1 / 2, 1 / 2])
    assert [label.recall for label in found.labels] == pytest.approx([2 / 3, 1 / 2, 1])
    assert [label.f1 for label in found.labels] == pytest.approx([4 / 5, 1 / 2, 2 / 3])
    assert found.macro_f1 == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)


def test_a_label_nobody_predicted_has_no_precision_but_counts():
    found = measure(np.array([0, 1]), np.array([0, 0]), ["a", "b"])
    assert found.labels[1] == LabelMetrics(label="b", precision=None, recall=0, f1=0, rows=1)
    assert found.macro_f1 == pytest.approx((2 / 3 + 0) / 2)


def test_a_label_without_rows_has_no_recall():
    found = measure(np.array([0, 0]), np.array([0, 1]), ["a", "b"])
    assert found.labels[1] == LabelMetrics(label="b", precision=0, recall=None, f1=0, rows=0)


def test_a_label_that_does_not_occur_has_no_metrics_and_is_not_in_the_mean():
    found = measure(np.array([0, 2]), np.array([0, 2]), ["a", "b", "c"])
    assert found.labels[1] == LabelMetrics(label="b", precision=None, recall=None, f1=None, rows=0)
    assert found.macro_f1 == 1
    assert found.confusion == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]


def test_rows_without_a_prediction_count_as_wrong():
    found = measure(np.array([0, 0, 1, 1]), np.array([0, -1, -1, 1]), ["a", "b"])
    assert found.accuracy == 0.5
    assert found.confusion == [[1, 0], [0, 1]]
    assert [(label.precision, label.recall, label.rows) for label in found.labels] == [
        (1, 0.5, 2),
        (1, 0.5, 2),
    ]


def test_no_prediction_at_all_is_measured():
    found = measure(np.array([0, 1]), np.array([-1, -1]), ["a", "b"])
    assert (found.accuracy, found.macro_f1, found.confusion) == (0, 0, [[0, 0], [0, 0]])
    assert [label.precision for label in found.labels] == [None, None]


def test_weights_have_mean_1_and_grow_with_the_root_of_rarity():
    label_ids = np.array([0] * 90 + [5] * 10)
    weights = balanced_weights(label_ids)
    assert weights.dtype == np.float32
    assert weights.mean() == pytest.approx(1)
    assert weights[-1] / weights[0] == pytest.approx(np.sqrt(90 / 10))
    assert len(set(weights.tolist())) == 2


def test_weights_of_balanced_labels_are_1():
    assert balanced_weights(np.arange(12) % 3).tolist() == pytest.approx([1] * 12)
