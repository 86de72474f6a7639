"""Splits that do not leak: each label has its share in each part, equal texts stay together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split

from textbatch.types import Int64Array


def split_rows(
    groups: Int64Array, label_ids: Int64Array, *, shares: Sequence[float], seed: int
) -> list[Int64Array]:
    """Split rows into parts. The first part has at least one row of each label.

    Args:
        groups: Rows with the same number stay together (equal texts). Shape `(rows,)`.
        label_ids: Labels. Each label has about the same share in every part. Shape `(rows,)`.
        shares: Shares of the parts; their sum is 1. A share of 0 gives an empty part.
        seed: Seed of the choice.

    Returns:
        Positions of the rows of each part, ascending. If no label has two groups, all rows are in
        the first part.
    """
    # One row stands for its group. If a label is too rare to be divided, it stays in part 0.
    _, first_rows, group_of_row = np.unique(groups, return_index=True, return_inverse=True)
    part_of_group = np.zeros(len(first_rows), int)
    remaining = np.arange(len(first_rows))
    left = 1.0
    for part in range(len(shares) - 1, 0, -1):
        labels = label_ids[first_rows[remaining]]
        divisible = np.bincount(labels)[labels] >= 2
        if shares[part] <= 0 or not divisible.any():
            continue
        size = round(len(remaining) * shares[part] / left)
        taken = _draw(remaining[divisible], labels[divisible], size=size, seed=seed)
        part_of_group[taken] = part
        remaining = np.setdiff1d(remaining, taken)
        left -= shares[part]
    # If equal texts have different labels, all rows of a label may be in other parts.
    for label in np.setdiff1d(label_ids, label_ids[part_of_group[group_of_row] == 0]):
        part_of_group[group_of_row[np.argmax(label_ids == label)]] = 0
    parts = part_of_group[group_of_row]
    return [np.flatnonzero(parts == part) for part in range(len(shares))]


def fold_numbers(groups: Int64Array, label_ids: Int64Array, *, folds: int, seed: int) -> Int64Array:
    """Assign each row to the fold that holds it out.

    Args:
        groups: Rows with the same number stay together. Shape `(rows,)`.
        label_ids: Labels. Each label has about the same share in every fold. Shape `(rows,)`.
        folds: Number of folds; at most the number of groups.
        seed: Seed of the choice.

    Returns:
        Number of the fold of each row, from 0. Shape `(rows,)`.
    """
    _, first_rows, group_of_row = np.unique(groups, return_index=True, return_inverse=True)
    labels = label_ids[first_rows]
    fold_of_group = np.zeros(len(labels), np.int64)
    common = np.bincount(labels)[labels] >= folds
    if common.any():
        members = np.flatnonzero(common)
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        for number, (_, held_out) in enumerate(splitter.split(members, labels[members])):
            fold_of_group[members[held_out]] = number
    # scikit-learn does not divide a label with fewer groups than folds. Its groups go to one fold
    # after the other.
    rare = np.flatnonzero(~common)
    rare = rare[np.argsort(labels[rare], kind="stable")]
    fold_of_group[rare] = (seed + np.arange(len(rare))) % folds
    return np.asarray(fold_of_group[group_of_row], np.int64)


def _draw(pool: Int64Array, labels: Int64Array, *, size: int, seed: int) -> Int64Array:
    """Draw about `size` members of a pool, stratified by label. Each label has two or more."""
    # scikit-learn needs at least one member of each label on both sides.
    num_labels = len(np.unique(labels))
    size = min(max(size, num_labels), len(pool) - num_labels)
    _, drawn = train_test_split(pool, test_size=size, stratify=labels, random_state=seed)
    return np.asarray(drawn)
