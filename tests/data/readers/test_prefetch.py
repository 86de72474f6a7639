from __future__ import annotations

import itertools
import threading

import pytest

from textbatch.data.readers.prefetch import Prefetch
from textbatch.errors import DataError


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "textbatch-reader"]


def test_items_come_in_order_and_the_thread_ends():
    with Prefetch(iter(range(100)), depth=3) as items:
        assert list(items) == list(range(100))
    assert not readers()


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        yield 2
        raise DataError("the third is damaged")

    with Prefetch(items()) as reading:
        waiting = iter(reading)
        assert [next(waiting), next(waiting)] == [1, 2]
        with pytest.raises(DataError, match="third is damaged"):
            next(waiting)
    assert not readers()


def test_no_more_than_the_depth_is_read_ahead():
    drawn = []

    def items():
        for number in range(100):
            drawn.append(number)
            yield number

    with Prefetch(items(), depth=2) as reading:
        for number in reading:
            # Two wait, one is in the thread's hand, one is here.
            assert len(drawn) <= number + 4
    assert len(drawn) == 100


def test_leaving_early_stops_the_thread():
    with Prefetch(itertools.repeat(0)) as items:
        assert next(iter(items)) == 0
        assert readers()
    assert not readers()


def test_none_and_empty_items_are_items():
    with Prefetch(iter([None, (), 0, ""])) as items:
        assert list(items) == [None, (), 0, ""]
