from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textbatch.text.bucketing import mini_batches, pad
from textbatch.text.vocabulary import PAD_ID
from textbatch.types import TokenBatch


def token_batch(lengths: list[int]) -> TokenBatch:
    """Rows of given lengths; every token id occurs once."""
    return TokenBatch(
        token_ids=np.arange(1, sum(lengths) + 1, dtype=np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        truncated=np.zeros(len(lengths), bool),
    )


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 200), st.data())
@example([], 100, None)
@example([7] * 50, 70, None)
def test_mini_batches_hold_each_wanted_row_once_within_the_budget(lengths, budget, data):
    tokens = token_batch(lengths)
    wanted = range(len(lengths))
    if data:
        wanted = data.draw(st.lists(st.sampled_from(wanted), unique=True)) if lengths else []
    rows = np.array(wanted, np.int64)
    seen: list[int] = []
    for batch in mini_batches(tokens, rows, max_padded_tokens=budget):
        assert batch.token_ids.size <= budget or len(batch.rows) == 1
        assert batch.token_ids.shape == (len(batch.rows), max(1, batch.lengths.max()))
        for row, ids, length in zip(batch.rows, batch.token_ids, batch.lengths, strict=True):
            start, stop = tokens.offsets[row : row + 2]
            assert length == stop - start
            assert ids[:length].tolist() == tokens.token_ids[start:stop].tolist()
            assert (ids[length:] == PAD_ID).all()
        seen.extend(batch.rows.tolist())
    assert sorted(seen) == sorted(wanted)
    buckets = [lengths[row] // 8 for row in seen]
    assert buckets == sorted(buckets, reverse=True)


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 50))
def test_what_is_written_back_by_row_is_in_input_order(lengths, budget):
    tokens = token_batch(lengths)
    sums = np.full(len(lengths), -1)
    for batch in mini_batches(tokens, np.arange(len(lengths)), max_padded_tokens=budget):
        sums[batch.rows] = batch.token_ids.sum(axis=1)
    bounds = tokens.offsets
    assert sums.tolist() == [
        tokens.token_ids[bounds[row] : bounds[row + 1]].sum() for row in range(len(lengths))
    ]


def test_mini_batches_are_as_large_as_the_budget_allows():
    batches = mini_batches(token_batch([4] * 10), np.arange(10), max_padded_tokens=19)
    assert [len(batch.rows) for batch in batches] == [4, 4, 2]


def test_a_row_longer_than_the_budget_goes_alone():
    batches = mini_batches(token_batch([3, 50, 2, 60]), np.arange(4), max_padded_tokens=10)
    assert [batch.rows.tolist() for batch in batches] == [[3], [1], [0, 2]]


def test_rows_of_like_length_stand_by_their_first_tokens():
    tokens = TokenBatch(
        token_ids=np.array([5, 6, 5, 6, 7, 4, 9, 5, 6], np.int32),
        offsets=np.array([0, 2, 5, 7, 9]),
        truncated=np.zeros(4, bool),
    )
    (batch,) = mini_batches(tokens, np.arange(4), max_padded_tokens=100)
    assert batch.token_ids.tolist() == [[4, 9, 0], [5, 6, 0], [5, 6, 0], [5, 6, 7]]


def test_pad_keeps_the_order_given_and_fills_on_the_right():
    batch = pad(token_batch([1, 0, 3, 2]), np.array([2, 0, 1, 2]))
    assert batch.token_ids.tolist() == [[2, 3, 4], [1, 0, 0], [0, 0, 0], [2, 3, 4]]
    assert batch.lengths.tolist() == [3, 1, 0, 3]
    assert (batch.token_ids.dtype, batch.lengths.dtype) == ("int32", "int32")


@pytest.mark.parametrize("rows", [[], [0], [0, 0]])
def test_rows_without_tokens_are_padded_to_one(rows):
    batch = pad(token_batch([0]), np.array(rows, np.int64))
    assert batch.token_ids.tolist() == [[PAD_ID]] * len(rows)
    assert batch.token_ids.shape == (len(rows), 1)
