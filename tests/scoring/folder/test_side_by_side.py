from __future__ import annotations

import threading

import pytest

from textbatch.scoring.folder.side_by_side import ASKED, side_by_side


def test_a_store_is_asked_several_things_at_the_same_time_and_the_order_stays():
    together = threading.Barrier(ASKED, timeout=30)

    def ask(number):
        together.wait()
        return number * 2

    assert [*side_by_side(ask, range(2 * ASKED), remote=True)] == [*range(0, 4 * ASKED, 2)]


@pytest.mark.parametrize("remote", [False, True])
def test_an_error_comes_in_its_place_and_ends_the_asking(remote):
    asked = []

    def ask(number):
        asked.append(number)
        if number == 3:
            raise LookupError
        return number

    answers = side_by_side(ask, range(10_000), remote=remote)
    assert [next(answers) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError):
        next(answers)
    assert len(asked) < 10_000
