from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textbatch.model.linear.ngrams import Ngrams
from textbatch.types import TokenBatch

SIZE = 9
ROWS = st.lists(st.lists(st.integers(1, SIZE - 1), max_size=8), max_size=8)


def token_batch(rows):
    lengths = [len(row) for row in rows]
    return TokenBatch(
        token_ids=np.array([i for row in rows for i in row], np.int32),
        offsets=np.cumsum([0, *lengths]),
        truncated=np.zeros(len(rows), bool),
    )


def pairs_of(row):
    return [(a, b) for a, b in pairwise(row) if a > 1 and b > 1]


@given(ROWS, ROWS, st.integers(1, 3))
def test_counts_are_those_of_words_and_of_pairs_that_training_saw_often(train, rows, min_rows):
    ngrams = Ngrams.build(
        token_batch(train), vocabulary_size=SIZE, min_rows=min_rows, max_pairs=100
    )
    seen = Counter(pair for row in train for pair in set(pairs_of(row)))
    kept = sorted(pair for pair, count in seen.items() if count >= min_rows)
    assert ngrams.pairs_of_ids().tolist() == [list(pair) for pair in kept]
    found = ngrams.features(token_batch(rows))
    for index, row in enumerate(rows):
        part = slice(found.offsets[index], found.offsets[index + 1])
        expected = Counter(i for i in row if i > 1)
        expected += Counter(SIZE + kept.index(pair) for pair in pairs_of(row) if pair in kept)
        assert Counter(found.features[part].tolist()) == expected


def test_the_most_frequent_pairs_are_kept():
    rows = [[2, 3], [2, 3], [4, 5], [4, 5], [4, 5], [6, 7]]
    ngrams = Ngrams.build(token_batch(rows), vocabulary_size=SIZE, min_rows=1, max_pairs=2)
    assert ngrams.pairs_of_ids().tolist() == [[2, 3], [4, 5]]


def test_pairs_survive_being_written_as_token_ids():
    ngrams = Ngrams.build(
        token_batch([[2, 3, 8, 7]]), vocabulary_size=SIZE, min_rows=1, max_pairs=9
    )
    again = Ngrams.of_ids(SIZE, ngrams.pairs_of_ids())
    assert again.pairs.tolist() == ngrams.pairs.tolist()
