from __future__ import annotations

import math

import pytest

from textbatch.model.quality.drift import LARGE_DRIFT, population_stability


def test_equal_mixes_have_no_drift_whatever_their_size():
    assert population_stability([1, 2, 3], [10, 20, 30]) == pytest.approx(0)


def test_the_index_is_the_sum_over_classes():
    wanted = (0.75 - 0.5) * math.log(0.75 / 0.5) + (0.25 - 0.5) * math.log(0.25 / 0.5)
    assert population_stability([50, 50], [3, 1]) == pytest.approx(wanted)


def test_it_is_symmetric_and_finite_where_a_class_is_empty():
    there, back = population_stability([1, 0], [0, 1]), population_stability([0, 1], [1, 0])
    assert there == pytest.approx(back)
    assert LARGE_DRIFT < there < 100


@pytest.mark.parametrize(("expected", "found"), [([], []), ([0, 0], [1, 1]), ([1, 1], [0, 0])])
def test_nothing_to_compare_has_no_index(expected, found):
    assert population_stability(expected, found) is None
