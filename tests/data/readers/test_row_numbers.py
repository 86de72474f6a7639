from __future__ import annotations

import numpy as np
import pytest

from textbatch.data.readers.row_numbers import shown_rows


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([3], "row 3"),
        ([3, 7, 8, 9, 20], "rows 3, 7 to 9, 20"),
        ([1, 2], "rows 1 to 2"),
        (range(1, 1001), "rows 1 to 1000"),
        (range(2, 1001, 2), "rows 2, 4, 6, 8, 10, 12, 14, 16, 18, 20 and 490 more"),
    ],
)
def test_rows_are_named_by_their_numbers(numbers, told):
    assert shown_rows(np.array(numbers)) == told
