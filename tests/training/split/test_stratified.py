from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textbatch.training.split.stratified import fold_numbers, split_rows

SHARES = (0.8, 0.1, 0.1)


def split(label_ids, groups=None, *, shares=SHARES, seed=0) -> list[list[int]]:
    labels = np.array(label_ids, np.int64)
    numbers = np.arange(len(labels)) if groups is None else np.array(groups, np.int64)
    return [part.tolist() for part in split_rows(numbers, labels, shares=shares, seed=seed)]


@st.composite
def labelled_groups(draw) -> tuple[list[int], list[int]]:
    """Labels and groups of up to 200 rows; the same group may have several labels."""
    label_ids = draw(st.lists(st.integers(0, draw(st.integers(0, 12))), max_size=200))
    largest = draw(st.sampled_from([0, 3, 50, 10_000]))
    groups = draw(
        st.lists(st.integers(0, largest), min_size=len(label_ids), max_size=len(label_ids))
    )
    return label_ids, groups


@settings(deadline=None)
@given(
    labelled_groups(),
    st.sampled_from([SHARES, (0.9, 0.1, 0.0), (0.9, 0.0, 0.1), (1.0, 0.0, 0.0), (0.2, 0.4, 0.4)]),
    st.integers(0, 2**31 - 1),
)
def test_parts_are_complete_and_disjoint_and_no_group_or_label_leaks(rows, shares, seed):
    label_ids, groups = rows
    parts = split(label_ids, groups, shares=shares, seed=seed)
    assert sorted(sum(parts[1:], parts[0])) == list(range(len(label_ids)))
    assert all(part == sorted(part) for part in parts)
    held = [{groups[row] for row in part} for part in parts]
    assert len(set().union(*held)) == sum(map(len, held))
    assert {label_ids[row] for row in parts[0]} == set(label_ids)
    assert [part for part, share in zip(parts, shares, strict=True) if not share and part] == []
    assert parts == split(label_ids, groups, shares=shares, seed=seed)


@settings(deadline=None)
@given(st.lists(st.integers(2, 400), min_size=1, max_size=6), st.integers(0, 99))
def test_every_part_has_its_share_of_each_label(counts, seed):
    label_ids = np.repeat(np.arange(len(counts)), counts)
    for part, share in zip(split(label_ids, seed=seed), SHARES, strict=True):
        found = np.bincount(label_ids[part], minlength=len(counts))
        assert np.abs(found - share * np.array(counts)).max() < 2 + len(counts) / 2


@pytest.mark.parametrize("num_labels", [2, 10, 77])
def test_three_rows_of_each_label_give_one_to_each_part(num_labels):
    label_ids = np.arange(3 * num_labels) % num_labels
    for part in split(label_ids):
        assert sorted(label_ids[part]) == list(range(num_labels))


def test_large_shares_of_few_rows_leave_one_of_each_label_to_every_part():
    label_ids = np.array([0, 0, 0, 1, 1, 1])
    parts = split(label_ids, shares=(0.2, 0.4, 0.4))
    assert [sorted(label_ids[part]) for part in parts] == [[0, 1]] * 3


def test_a_label_with_a_thousandth_of_the_rows_stays_in_training():
    label_ids = np.array([0] * 10_000 + [1] * 3)
    training, validation, test = split(label_ids)
    assert (len(validation), len(test)) == (1000, 1000)
    assert 1 in label_ids[training]


def test_duplicates_count_once():
    # One text makes up half of the rows: it falls to one part, and the others keep their share.
    groups = [0] * 500 + list(range(1, 501))
    sizes = sorted(len({groups[row] for row in part}) for part in split([0, 1] * 500, groups))
    assert sizes[0] in (49, 50, 51)
    assert sizes[1] in (49, 50, 51)


def test_labels_of_a_single_text_all_stay_in_training():
    assert split([0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1]) == [[0, 1, 2, 3, 4, 5], [], []]


def test_many_labels_too_rare_to_be_divided_do_not_stand_in_the_way():
    parts = split([0, 0, *range(1, 59)])
    assert sorted(map(len, parts)) == [0, 1, 59]


@pytest.mark.parametrize("seed", range(5))
def test_a_label_that_shares_its_only_text_with_another_is_not_lost_to_training(seed):
    label_ids = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1]
    groups = [0, 1, 2, 3, 4, 5, 6, 6, 6, 6]
    training, *_ = split(label_ids, groups, shares=(0.3, 0.0, 0.7), seed=seed)
    assert 1 in [label_ids[row] for row in training]


def test_the_seed_chooses():
    assert split([0, 1] * 50, seed=1) != split([0, 1] * 50, seed=2)


@settings(deadline=None)
@given(labelled_groups(), st.integers(2, 7), st.integers(0, 2**31 - 1))
def test_folds_hold_every_row_once_and_tear_no_group(rows, folds, seed):
    label_ids, groups = (np.array(values, np.int64) for values in rows)
    numbers = fold_numbers(groups, label_ids, folds=folds, seed=seed)
    assert numbers.shape == label_ids.shape
    assert not len(numbers) or (numbers.min() >= 0 and numbers.max() < folds)
    for group in set(rows[1]):
        assert len(set(numbers[groups == group])) == 1


def test_folds_have_each_label_in_equal_shares_and_spread_the_rare_ones():
    label_ids = np.repeat([0, 1, 2], [50, 25, 3])
    numbers = fold_numbers(np.arange(78), label_ids, folds=5, seed=1)
    assert np.bincount(numbers[label_ids == 0]).tolist() == [10] * 5
    assert np.bincount(numbers[label_ids == 1]).tolist() == [5] * 5
    assert len(set(numbers[label_ids == 2])) == 3
    other = fold_numbers(np.arange(78), label_ids, folds=5, seed=2)
    assert not np.array_equal(numbers, other)
