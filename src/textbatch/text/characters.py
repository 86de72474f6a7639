"""Classes of characters: which ones vanish, separate tokens, or are tokens of their own.

These are the rules of version 2 for characters beyond ASCII. They are a table with one byte for
each code point, so that a text costs the same whatever stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textbatch.text import character_classes
from textbatch.types import Int64Array

CODE_POINTS = 0x110000
#: What a character does. `WORD` belongs to the token around it. `IGNORED` vanishes. `SEPARATOR`
#: ends a token. `ALONE` is a token. `PIECE` begins a token, which only `MARK`s go on with.
WORD, IGNORED, SEPARATOR, ALONE, PIECE, MARK = range(6)
#: Quotation marks and letters that are written for an apostrophe.
APOSTROPHES = "\u2018\u2019\u201b\u02bc"
_SPACE = 0x20
#: Some fifty bytes are needed for each byte that is folded.
_BYTES_AT_ONCE = 1 << 18


@cache
def classes() -> NDArray[np.uint8]:
    """The class of each code point. Those of ASCII are `WORD`. Shape `(0x110000,)`."""
    table = np.full(CODE_POINTS, WORD, np.uint8)
    for kind, ranges in (
        (IGNORED, character_classes.IGNORED),
        (SEPARATOR, character_classes.SEPARATORS),
        (ALONE, character_classes.ALONE),
        (PIECE, character_classes.PIECES),
        (MARK, character_classes.MARKS),
    ):
        for one in ranges.split():
            low, _, high = one.partition("-")
            table[int(low, 16) : int(high or low, 16) + 1] = kind
    return table


def fold_code_points(text: pa.Array) -> pa.Array:
    """Put spaces around tokens of their own, and for separators; drop what is ignored.

    Args:
        text: Large strings without nulls. Shape `(rows,)`.

    Returns:
        Shape `(rows,)`.
    """
    folded = []
    for part in slices_of_bytes(text, _BYTES_AT_ONCE):
        points, rows = _folded(*code_points(part))
        encoded = points.astype("<u4").tobytes().decode("utf-32-le").encode()
        before = np.zeros(len(points) + 1, np.int64)
        np.cumsum(_utf8_lengths(points), out=before[1:])
        buffers = [None, pa.py_buffer(before[rows]), pa.py_buffer(encoded)]
        folded.append(pa.Array.from_buffers(text.type, len(part), buffers))
    return pa.concat_arrays(folded) if folded else text


def slices_of_bytes(text: pa.Array, most: int) -> Iterator[pa.Array]:
    """Cut rows into slices, in order: what is computed of each character takes much memory.

    Args:
        text: Large strings. Shape `(rows,)`.
        most: Bytes of a slice at most; a single row may have more.

    Yields:
        Slices with a row at least.
    """
    _, ends, _ = text.buffers()
    offsets = np.frombuffer(ends, np.int64)[text.offset : text.offset + len(text) + 1]
    first = 0
    while first < len(text):
        last = int(np.searchsorted(offsets, offsets[first] + most, side="right")) - 1
        last = max(first + 1, last)
        yield text.slice(first, last - first)
        first = last


def code_points(text: pa.Array) -> tuple[NDArray[np.uint32], Int64Array]:
    """The characters of strings as numbers, one string after the other.

    Args:
        text: Large strings without nulls. Shape `(rows,)`.

    Returns:
        Code points, shape `(characters,)`; and where those of each string begin, shape
        `(rows + 1,)`.
    """
    _, ends, data = text.buffers()
    offsets = np.frombuffer(ends, np.int64)[text.offset : text.offset + len(text) + 1]
    raw = np.frombuffer(data or b"", np.uint8)[offsets[0] : offsets[-1]]
    points = np.frombuffer(raw.tobytes().decode().encode("utf-32-le"), np.uint32)
    # Bytes that begin a character, so that offsets in bytes become offsets in characters.
    begins = np.zeros(len(raw) + 1, np.int64)
    np.cumsum((raw & 0xC0) != 0x80, out=begins[1:])
    return points, begins[offsets - offsets[0]]


def _folded(points: NDArray[np.uint32], rows: Int64Array) -> tuple[NDArray[np.uint32], Int64Array]:
    """Fold the characters of all rows; return them, and the new offsets of the rows."""
    kinds = classes()[points]
    kept = kinds != IGNORED
    before = np.zeros(len(kept) + 1, np.int64)
    np.cumsum(kept, out=before[1:])
    points, kinds, rows = points[kept], kinds[kept], before[rows]
    for apostrophe in APOSTROPHES:
        points = np.where(points == ord(apostrophe), np.uint32(ord("'")), points)
    points = np.where(kinds == SEPARATOR, np.uint32(_SPACE), points)
    piece = (kinds == PIECE) | (kinds == MARK)
    # A letter behind a piece begins a token. At the begin of a row the space does no harm.
    behind = np.zeros(len(kinds), bool)
    behind[1:] = (kinds[1:] == WORD) & piece[:-1]
    in_front = (kinds == ALONE) | (kinds == PIECE) | behind
    counts = 1 + in_front + (kinds == ALONE)
    starts = np.zeros(len(points) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    folded = np.full(starts[-1], _SPACE, np.uint32)
    folded[starts[:-1] + in_front] = points
    return folded, starts[rows]


def _utf8_lengths(points: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Bytes of each character in UTF-8. Shape `(characters,)`."""
    return np.asarray(
        1 + (points > 0x7F).astype(np.uint8) + (points > 0x7FF) + (points > 0xFFFF), np.uint8
    )
