"""Splits that do not leak: stratified by label, equal texts on one side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import train_test_split

from textbatch.batch import Int64Array


def split_rows(
    groups: Int64Array, label_ids: Int64Array, *, shares: Sequence[float], seed: int
) -> list[Int64Array]:
    """Split rows into parts of given shares.

    Args:
        groups: Rows with the same number stay together (equal texts). Shape `(rows,)`.
        label_ids: Labels; every part gets each label's share. Shape `(rows,)`.
        shares: Of the parts, together 1; 0 gives an empty part.
        seed: Of the choice.

    Returns:
        Row positions of each part, ascending.
    """
    # One row speaks for its group. Rows of a label too rare to be divided go first, together.
    _, first_rows, group_of_row = np.unique(groups, return_index=True, return_inverse=True)
    part_of_group = np.zeros(len(first_rows), int)
    remaining = np.arange(len(first_rows))
    left = 1.0
    for part in range(len(shares) - 1, 0, -1):
        if shares[part] <= 0:
            continue
        labels = label_ids[first_rows[remaining]]
        counts = np.bincount(labels)
        divisible = counts[labels] >= 2
        pool = remaining[divisible]
        size = max(len(np.unique(labels[divisible])), round(len(remaining) * shares[part] / left))
        _, taken = train_test_split(
            pool, test_size=size, stratify=labels[divisible], random_state=seed
        )
        part_of_group[taken] = part
        remaining = np.setdiff1d(remaining, taken)
        left -= shares[part]
    parts = part_of_group[group_of_row]
    return [np.flatnonzero(parts == part) for part in range(len(shares))]
