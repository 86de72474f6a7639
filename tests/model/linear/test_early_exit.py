from __future__ import annotations

import numpy as np
import pytest

from textbatch.model.linear.early_exit import MAX_CHANGED, ExitRule, fit_exit_gap, margin_gaps


def simulated(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Gaps, and whether the label changes: the less likely, the larger the gap."""
    random = np.random.default_rng(seed)
    gaps = random.gamma(2, 0.4, rows).astype(np.float32)
    return gaps, random.random(rows) < 1 / (1 + np.exp(8 * gaps))


def test_gaps_are_between_the_two_highest_margins():
    margins = np.array([[1, 3, 2], [-1, -1, -5], [0.5, 0, 4]], np.float32)
    assert margin_gaps(margins).tolist() == [1, 0, 3.5]


def test_no_row_leaves_whose_margins_are_no_numbers():
    margins = np.array([[np.nan, 1], [np.inf, np.inf], [np.nan, np.nan], [3, 1]], np.float32)
    assert ExitRule(gap=1.5, temperature=1).leaving(margins).tolist() == [False] * 3 + [True]


@pytest.mark.parametrize("rows", [200, 500, 3000])
def test_the_limit_keeps_its_promise_on_other_rows(rows):
    """Of 20 limits found on few rows, all but one keep the share of changed labels small."""
    gaps, changed = simulated(200_000, seed=99)
    broken = left = 0
    for seed in range(20):
        found = fit_exit_gap(*simulated(rows, seed))
        leaving = gaps >= found if found is not None else np.zeros(len(gaps), bool)
        broken += (leaving & changed).mean() > 2 * MAX_CHANGED
        left += leaving.mean() / 20
    assert broken <= 1
    assert left > 0.35


def test_rows_that_did_change_count_whatever_is_expected():
    gaps = np.linspace(0.1, 3, 1000, dtype=np.float32)
    changed = gaps < 0.2
    changed[-1] = True  # the surest row of all
    assert fit_exit_gap(gaps, changed) is None


def test_rows_with_the_same_gap_leave_together_or_not_at_all():
    gaps = np.repeat(np.array([2, 1], np.float32), [5000, 5000])
    changed = np.zeros(10_000, bool)
    changed[-4000:] = True
    assert fit_exit_gap(gaps, changed) == 2
    assert fit_exit_gap(gaps[5000:], changed[5000:]) is None


def test_without_any_change_most_rows_leave():
    gaps = np.linspace(0, 2, 20_000, dtype=np.float32)
    found = fit_exit_gap(gaps, np.zeros(20_000, bool))
    assert found is not None
    assert (gaps >= found).mean() > 0.9


def test_no_row_leaves_where_every_label_changes():
    gaps, _ = simulated(1000, seed=1)
    assert fit_exit_gap(gaps, np.ones(1000, bool)) is None
