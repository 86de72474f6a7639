"""What kinds of characters texts have: of which script, digits, marks. From the bytes of UTF-8."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textbatch.types import Int64Array

#: Kinds of characters; the letters last. Several scripts of India are one kind.
KINDS = (
    *("blank", "digit", "mark", "emoji"),
    *("Latin", "Greek", "Cyrillic", "Hebrew", "Arabic", "Indic", "Thai", "Kana", "Han", "Hangul"),
    "other",
)
#: The first kind of letters.
FIRST_LETTER = KINDS.index("Latin")
_SLICE_BYTES = 1 << 20


def kinds_in(texts: pa.Array) -> Iterator[Int64Array]:
    """Count the characters of each text by kind.

    The kind is told by the first two bytes of a character, so that all is done with arrays. Blanks
    and marks that are not ASCII are told as far as these two bytes do.

    Args:
        texts: Large strings without null. Shape `(texts,)`.

    Yields:
        The counts of the next texts. Shape `(some texts, len(KINDS))`.
    """
    if not len(texts):
        return
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int64, len(texts) + 1, offset=8 * texts.offset)
    whole = np.frombuffer(data or b"", np.uint8)
    start = 0
    while start < len(texts):
        stop = int(np.searchsorted(ends, ends[start] + _SLICE_BYTES, side="right")) - 1
        stop = min(max(stop, start + 1), start + _SLICE_BYTES)
        yield _counted(whole[ends[start] : ends[stop]], np.diff(ends[start : stop + 1]))
        start = stop


def _counted(found: NDArray[np.uint8], sizes: Int64Array) -> Int64Array:
    """Count the characters of some texts.

    Args:
        found: Their bytes, one text after the other. Shape `(bytes,)`.
        sizes: The bytes of each. Shape `(texts,)`.
    """
    places = np.flatnonzero((found & 0xC0) != 0x80)
    # The last byte of all may be a character of one byte, which nothing follows.
    second = np.append(found[1:], np.uint8(0))[places]
    kinds = _TABLE[found[places].astype(np.int64) * 64 + (second & 63)]
    texts = np.repeat(np.arange(len(sizes)), sizes)[places]
    counts = np.bincount(texts * len(KINDS) + kinds, minlength=len(sizes) * len(KINDS))
    return np.asarray(counts.reshape(len(sizes), len(KINDS)), np.int64)


def _table() -> NDArray[np.int64]:
    """The kind of a character by its first byte, and by the last six bits of the second one."""
    table = np.full((256, 64), KINDS.index("other"), np.int64)

    def fill(kind: str, *ranges: tuple[int, int]) -> None:
        for low, high in ranges:
            # A kind takes all characters with the same first two bytes as one between the two.
            for code in {*range(low, high + 1, 64 if low > 0x7FF else 1), high}:
                first, *more = chr(code).encode()
                table[first, more[0] & 63 if more else slice(None)] = KINDS.index(kind)

    fill("mark", (0, 0x7F), (0x80, 0xBF), (0x2000, 0x25FF), (0x27C0, 0x2BFF), (0x3000, 0x303F))
    fill("mark", (0x300, 0x36F), (0xFE00, 0xFE0F), (0xFF00, 0xFFEF))
    fill("blank", (9, 13), (32, 32), (0xA0, 0xA0))
    fill("digit", (48, 57))
    fill("Latin", (65, 90), (97, 122), (0xC0, 0x2FF), (0x1E00, 0x1EFF))
    fill("Greek", (0x370, 0x3FF), (0x1F00, 0x1FFF))
    fill("Cyrillic", (0x400, 0x52F))
    fill("Hebrew", (0x590, 0x5FF))
    fill("Arabic", (0x600, 0x6FF), (0x750, 0x77F))
    fill("Indic", (0x900, 0xDFF))
    fill("Thai", (0xE00, 0xEFF))
    fill("Kana", (0x3040, 0x30FF))
    fill("Han", (0x3400, 0x9FFF), (0x20000, 0x2FFFF))
    fill("Hangul", (0x1100, 0x11FF), (0xAC00, 0xD7A3))
    fill("emoji", (0x2600, 0x27BF), (0x1F000, 0x1FFFF))
    return table.reshape(-1)


_TABLE = _table()
