"""How many distinct texts there are, in memory that does not grow with them."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: So many hashes are kept. The estimate is then off by a 256th of itself (one standard deviation).
_KEPT = 1 << 16


class DistinctCount:
    """Counts distinct texts: exactly up to 65,536, then by the smallest hashes.

    The estimate is that of the k minimum values (Bar-Yossef and others 2002; Beyer and others
    2007): where k hashes lie below a share of all possible ones, there are k - 1 by that share.
    """

    def __init__(self) -> None:
        """No text is counted yet."""
        self._hashes = np.empty(0, np.uint64)
        self._exact = True

    @property
    def exact(self) -> bool:
        """Whether the count is no estimate."""
        return self._exact

    @property
    def count(self) -> int:
        """How many distinct texts there are."""
        if self._exact:
            return len(self._hashes)
        return round((_KEPT - 1) / ((float(self._hashes[-1]) + 1) / 2.0**64))

    def add(self, texts: pa.Array) -> None:
        """Count more texts.

        Args:
            texts: Strings without null. Shape `(texts,)`.
        """
        found = pc.unique(texts).cast(pa.large_binary()).to_pylist()
        hashed = b"".join(hashlib.blake2b(one, digest_size=8).digest() for one in found)
        hashes = np.unique(np.concatenate([self._hashes, np.frombuffer(hashed, np.uint64)]))
        self._exact = self._exact and len(hashes) <= _KEPT
        self._hashes = hashes[:_KEPT]
