from __future__ import annotations

import pytest

from textbatch.report.learning_curve import LearningCurve


def test_a_power_law_is_drawn_on():
    points = [(n, 1 - 2 * n**-0.5) for n in (100, 200, 400)]
    curve = LearningCurve.of(points)
    assert curve.doubled == pytest.approx(1 - 2 * 800**-0.5)
    assert curve.line() == (
        "accuracy of a linear model alone: 0.800 with 100 rows, 0.859 with 200 rows, 0.900 with "
        "400 rows; twice as many rows may bring about 2.9 points"
    )


def test_a_curve_that_falls_is_chance():
    curve = LearningCurve.of([(100, 0.9), (200, 0.89), (400, 0.88)])
    assert curve.doubled == pytest.approx(0.88)
    assert curve.line().endswith("; more rows like these would bring little")


@pytest.mark.parametrize(
    "points",
    [[], [(99, 0.5)], [(9, 0.5), (19, 0.6)], [(99, 0.2), (99, 0.3)], [(99, 0.5), (199, 1.0)]],
)
def test_where_nothing_tells_nothing_is_told(points):
    curve = LearningCurve.of(points)
    assert curve.doubled is None
    assert "may bring" not in curve.line()
