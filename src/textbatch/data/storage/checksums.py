"""The checksum of an object that is read in pieces, from its beginning to its end.

Stores tell the checksum of a whole object, and none of a range of it. What is read here and there,
as Parquet is, has no sum to compare with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from textbatch.data.storage.location import RemotePath
from textbatch.errors import TryAgainError


class Summing(Protocol):
    """A sum under way, as those of `hashlib` are."""

    def update(self, data: bytes, /) -> object:
        """Take the next bytes."""

    def digest(self) -> bytes:
        """The sum of all bytes until now."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a store tells about the content of an object.

    Attributes:
        begin: Begins a sum.
        digest: The sum of the whole object.
    """

    begin: Callable[[], Summing]
    digest: bytes

    def is_of(self, data: bytes) -> bool:
        """Whether these bytes are the object."""
        summing = self.begin()
        summing.update(data)
        return summing.digest() == self.digest


class InOrder:
    """Sums up what is read of an object, as long as it is read in order.

    Args:
        path: The object, for messages.
        size: Its size in bytes.
        ask: Asks the store for the checksum; None if it tells none. Called once, and only for what
            is read in more than one piece: a store checks what it gives in one.
    """

    def __init__(self, path: RemotePath, size: int, ask: Callable[[], Checksum | None]) -> None:
        self._path, self._size, self._ask = path, size, ask
        self._asked = False
        self._told: Checksum | None = None
        self._summing: Summing | None = None
        self._position = 0

    def add(self, start: int, data: bytes) -> None:
        """Count a piece that has come.

        Args:
            start: Where it begins.
            data: Its bytes.

        Raises:
            TryAgainError: All is read, and is not what the store holds.
        """
        if start == 0 and len(data) < self._size:
            if not self._asked:
                self._told, self._asked = self._ask(), True
            self._summing = self._told.begin() if self._told else None
            self._position = 0
        if self._summing is None or self._told is None:
            return
        if start != self._position:
            self._summing = None  # until it is read from its beginning once more
            return
        self._summing.update(data)
        self._position += len(data)
        if self._position == self._size and self._summing.digest() != self._told.digest:
            raise TryAgainError(
                f"cannot read {self._path}: what arrived is not what the store holds", "run again"
            )
