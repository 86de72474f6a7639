"""Many small questions to an object store, several at the same time: each answer is waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

#: How many are asked at the same time.
ASKED = 16

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(ask: Callable[[T], R], things: Iterable[T], *, remote: bool) -> Iterator[R]:
    """Ask the same of many things.

    Args:
        ask: Called with each thing. Its errors are raised where its answer would come.
        things: The things.
        remote: Whether an answer comes from another machine. A disk is asked one after the other.

    Yields:
        The answers, in the order of the things.
    """
    if not remote:
        yield from map(ask, things)
        return
    # After an error `map` begins no more calls.
    with ThreadPoolExecutor(ASKED) as threads:
        yield from threads.map(ask, things)
