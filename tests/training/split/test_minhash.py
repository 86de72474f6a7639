from __future__ import annotations

import numpy as np
import pytest

from textbatch.training.split.minhash import SIMILARITY, near_duplicate_groups


def groups_of(rows: list[list[int]]) -> list[int]:
    offsets = np.cumsum([0, *map(len, rows)])
    flat = np.array([token for row in rows for token in row], np.int64)
    return near_duplicate_groups(flat, offsets).tolist()


def similarity(left: list[int], right: list[int]) -> float:
    pairs = [set(zip([-1, *row], [*row, -1], strict=True)) for row in (left, right)]
    return len(pairs[0] & pairs[1]) / len(pairs[0] | pairs[1])


def test_rows_that_share_their_word_pairs_are_one_group_and_others_are_not():
    base = list(range(20))
    one_changed = [*base[:10], 99, *base[11:]]
    other = list(range(200, 220))
    shuffled = base[::-1]
    assert groups_of([base, other, one_changed, shuffled, base]) == [0, 1, 0, 3, 0]


def test_short_rows_that_differ_in_a_word_are_different():
    assert groups_of([[1], [2], [1, 2], [2, 1], [1, 3], []]) == [0, 1, 2, 3, 4, 5]


def test_groups_hold_what_is_linked_and_number_by_their_first_row():
    base = list(range(30))
    near = [*base[:29], 77]
    nearer = [55, *near[1:]]
    assert groups_of([[5, 6, 7], base, near, nearer]) == [0, 1, 1, 1]


@pytest.mark.parametrize("changed", [1, 2, 3, 6])
def test_what_brute_force_finds_is_found_and_nothing_else(changed):
    random = np.random.default_rng(changed)
    originals = random.integers(0, 5000, (150, 24))
    copies = originals.copy()
    for copy in copies:
        copy[random.choice(24, changed, replace=False)] = random.integers(5000, 9000, changed)
    rows = [*originals.tolist(), *copies.tolist()]
    found = groups_of(rows)
    near = [similarity(a, b) >= SIMILARITY for a, b in zip(rows[:150], rows[150:], strict=True)]
    together = [found[row] == found[150 + row] for row in range(150)]
    assert not any(t and not n for t, n in zip(together, near, strict=True))
    assert sum(together) >= 0.97 * sum(near)
    assert (sum(near) > 140) == (changed < 3), "this tests neither side of the limit"


def test_many_equal_rows_and_no_row_at_all_are_no_trouble():
    assert set(groups_of([[1, 2, 3]] * 5000)) == {0}
    assert groups_of([]) == []
