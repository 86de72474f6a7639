from __future__ import annotations

import numpy as np
import pytest

from textbatch.model.linear import row_sums as module
from textbatch.model.linear.row_sums import offsets_of, row_sums


@pytest.mark.parametrize("width", [1, 3, 77])
@pytest.mark.parametrize("at_once", [1, 50, 1 << 17])
def test_the_sums_are_those_of_adding_one_line_after_the_other(width, at_once, monkeypatch):
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", at_once)
    random = np.random.default_rng(width)
    lengths = random.integers(0, 9, 60)
    lengths[[0, 5, 6, 59]] = 0
    rows = np.repeat(np.arange(60), lengths)
    places = random.integers(0, 40, len(rows)).astype(np.int32)
    values = random.random(len(rows)).astype(np.float32)
    table = random.normal(size=(40, width)).astype(np.float32)
    found = row_sums(table, places, offsets_of(rows, 60), values)
    for label in range(width):
        expected = np.bincount(rows, values * table[places, label], minlength=60)
        assert (found[:, label] == expected).all()
    plain = row_sums(table, places, offsets_of(rows, 60))
    alone = row_sums(table, places[rows == 7], np.array([0, lengths[7]]))
    assert plain[7].tobytes() == alone[0].tobytes()
    assert not plain[[0, 5, 6, 59]].any()


def test_no_rows_and_no_entries():
    table = np.ones((2, 3), np.float32)
    nothing = np.array([], np.int64)
    assert row_sums(table, nothing, np.zeros(1, np.int64)).shape == (0, 3)
    assert not row_sums(table, nothing, np.zeros(4, np.int64)).any()
