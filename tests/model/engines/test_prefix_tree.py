from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textbatch.model.engines.prefix_tree import prefix_tree
from textbatch.text.bucketing import MiniBatch

ROWS = st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=6), min_size=1, max_size=12)


def mini_batch(rows: list[list[int]]) -> MiniBatch:
    width = max(map(len, rows))
    return MiniBatch(
        rows=np.arange(len(rows)),
        token_ids=np.array([row + [0] * (width - len(row)) for row in rows], np.int32),
        lengths=np.array([len(row) for row in rows], np.int32),
    )


@given(ROWS)
def test_walking_up_from_a_rows_end_spells_the_row(rows):
    batch = mini_batch(rows)
    tree = prefix_tree(batch)
    # The token and the parent of each node, level by level, as an engine would compute them.
    tokens = [level[new] for level, new in zip(tree.tokens, tree.is_new, strict=True)]
    parents = [level[new] for level, new in zip(tree.parents, tree.is_new, strict=True)]
    for index, row in enumerate(rows):
        assert tree.is_end[:, index].tolist() == [
            level == len(row) - 1 for level in range(len(tree.tokens))
        ]
        node, spelled = tree.nodes[len(row) - 1, index], []
        for level in range(len(row) - 1, -1, -1):
            spelled.append(int(tokens[level][node]))
            node = parents[level][node]
        assert spelled[::-1] == row


@given(ROWS)
def test_sorted_rows_share_every_beginning(rows):
    tree = prefix_tree(mini_batch(sorted(rows)))
    for level, new in enumerate(tree.is_new):
        beginnings = {tuple(row[: level + 1]) for row in rows if len(row) > level}
        assert len(beginnings) <= new.sum() <= sum(len(row) > level for row in rows)
    same = [rows[0]] * 4
    assert prefix_tree(mini_batch(same)).is_new.sum() == len(rows[0])


def test_rows_that_have_ended_are_no_nodes():
    tree = prefix_tree(mini_batch([[1, 2, 3], [1], [2]]))
    assert tree.is_new.tolist() == [[True, False, True], [True, False, False], [True, False, False]]
