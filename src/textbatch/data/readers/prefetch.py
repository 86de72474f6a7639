"""Reads ahead: runs a generator in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.1


class Prefetch(Generic[T]):
    """Runs a generator in a thread, a limited number of items ahead of its reader.

    An exception of the generator is raised in the reader, after the items before it. Leaving the
    `with` block stops the thread.
    """

    def __init__(self, items: Iterator[T], *, depth: int = 2) -> None:
        """Begin to read.

        Args:
            items: The generator.
            depth: Limit on the items that wait, and so on memory.
        """
        self._items = items
        # An entry is a tuple of one item, or an empty tuple at the end.
        self._waiting: queue.Queue[tuple[T] | tuple[()]] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="textbatch-reader", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while entry := self._waiting.get():
            yield entry[0]
        if self._error:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            for item in self._items:
                if not self._put((item,)):
                    return
        except BaseException as error:  # passed on to the reader, whatever it is
            self._error = error
        self._put(())

    def _put(self, entry: tuple[T] | tuple[()]) -> bool:
        while not self._stop.is_set():
            try:
                self._waiting.put(entry, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False
