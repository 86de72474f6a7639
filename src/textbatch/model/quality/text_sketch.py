"""Which texts a model was made from, told well enough to recognise them, without keeping them.

The smallest hashes of the texts are a random sample of them (the bottom-k sketch of Cohen and
Kaplan 2007). A hash has 32 bits: it tells that a text is probably known, not what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import pyarrow as pa

from textbatch.data.strict_json import Count

_KEPT = 1_024
_BITS = 32
#: So many texts are looked at, evenly spread.
_MOST_LOOKED_AT = 50_000
#: From fewer texts below the largest hash no share is made.
_FEWEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSketch:
    """A sample of the hashes of texts.

    Attributes:
        texts: Number of different texts.
        hashes: The smallest hashes, ascending; all, if there are few.
    """

    texts: Count
    hashes: list[Count]

    @classmethod
    def of(cls, *texts: pa.Array) -> TextSketch:
        """Make the sketch of texts.

        Args:
            texts: Arrays of texts. Shape `(rows,)` each.
        """
        hashes = sorted({_hash(text) for some in texts for text in some.to_pylist() if text})
        return cls(texts=len(hashes), hashes=hashes[:_KEPT])

    def share_of(self, texts: pa.Array) -> float | None:
        """Estimate the share of texts that are among those of the sketch.

        Args:
            texts: The texts. Shape `(rows,)`.

        Returns:
            None if too few of them can be compared.
        """
        whole = self.texts <= len(self.hashes)
        largest = 1 << _BITS if whole or not self.hashes else self.hashes[-1]
        known, compared, seen = set(self.hashes), 0, 0
        step = -(-len(texts) // _MOST_LOOKED_AT) or 1
        for position in range(0, len(texts), step):
            text = texts[position].as_py()
            if text and (found := _hash(text)) <= largest:
                compared += 1
                seen += found in known
        return seen / compared if compared >= _FEWEST else None


def _hash(text: str) -> int:
    # Half a surrogate pair cannot be in Arrow's texts.
    return int.from_bytes(blake2b(text.encode(), digest_size=_BITS // 8).digest(), "big")
