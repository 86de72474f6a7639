"""A hash over the texts of rows that follow each other, whatever the batches that they come in."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.types import BoolArray

#: Lengths that stand for rows without a text.
_NULL, _UNDECODABLE = -1, -2
DIGEST_BYTES = 16


class TextDigest:
    """The hash of texts, which are added a piece at a time."""

    def __init__(self) -> None:
        """No text is added yet."""
        self._lengths = hashlib.blake2b(digest_size=DIGEST_BYTES)
        self._bytes = hashlib.blake2b(digest_size=DIGEST_BYTES)

    def add(self, texts: pa.Array, undecodable: BoolArray) -> None:
        """Add the next rows.

        Args:
            texts: Their texts; null where a row has none. Shape `(rows,)`.
            undecodable: True where the text is not valid UTF-8. Shape `(rows,)`.
        """
        plain = texts.cast(pa.large_binary())
        lengths = np.asarray(pc.binary_length(plain).fill_null(_NULL), np.int64)
        self._lengths.update(np.where(undecodable, _UNDECODABLE, lengths).astype("<i8").tobytes())
        # What lies behind a null is no text.
        whole = plain.drop_null() if plain.null_count else plain
        _, offsets, data = whole.buffers()
        if data is not None and len(whole):
            ends = np.frombuffer(offsets, np.int64, len(whole) + 1, offset=8 * whole.offset)
            self._bytes.update(memoryview(data)[int(ends[0]) : int(ends[-1])])

    def digest(self) -> bytes:
        """The hash of all rows so far."""
        both = self._lengths.digest() + self._bytes.digest()
        return hashlib.blake2b(both, digest_size=DIGEST_BYTES).digest()


def digest_of(texts: pa.Array, undecodable: BoolArray) -> bytes:
    """The hash of some rows; see `TextDigest`.

    Args:
        texts: See `TextDigest.add`. Shape `(rows,)`.
        undecodable: See `TextDigest.add`. Shape `(rows,)`.
    """
    digest = TextDigest()
    digest.add(texts, undecodable)
    return digest.digest()
