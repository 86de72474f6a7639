"""Words to pieces: byte-pair encoding, as SentencePiece and Llama's tokenizers do it.

A word begins with `▁`. Of all neighbours that may be merged, those that come first in the list of
merges are merged first, the leftmost first, until none is left (Sennrich et al. 2016). A character
without a piece becomes the pieces of its UTF-8 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from textbatch.types import Int64Array

_BEGIN = "▁"
#: Words may be as long as texts. Of a longer one the beginning counts, because the time grows with
#: the square of the length.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class WordPieces:
    """A vocabulary of pieces.

    Attributes:
        ids: The id of each piece.
        ranks: The place of each pair of neighbours in the list of merges.
    """

    ids: Mapping[str, int]
    ranks: Mapping[tuple[str, str], int]

    def __post_init__(self) -> None:
        """Check that each text has pieces.

        Raises:
            KeyError: A byte has no piece, or a merge makes no piece.
        """
        for byte in range(256):
            self.ids[_byte_piece(byte)]
        for first, second in self.ranks:
            self.ids[first + second]

    def split(self, word: str) -> list[int]:
        """The ids of the pieces of a word, first to last."""
        parts = [_BEGIN, *word[:_LONGEST]]
        none = len(self.ranks)
        while len(parts) > 1:
            ranks = [self.ranks.get(pair, none) for pair in pairwise(parts)]
            best = min(ranks)
            if best == none:
                break
            at = ranks.index(best)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return [one for part in parts for one in self._ids_of(part)]

    def shortest(self, word: str) -> list[int]:
        """The pieces of a word in small letters, of that spelling which has the fewest.

        Texts are read in small letters, but the pieces know `London` and `NASA`.

        Args:
            word: A token of texts.
        """
        forms = dict.fromkeys((word, word.capitalize(), word.upper()))
        return min((self.split(form) for form in forms), key=len)

    def words(self) -> list[str]:
        """The pieces that are whole words, in the order of their ids: frequent ones first."""
        ordered = sorted(self.ids, key=self.ids.__getitem__)
        return [piece[1:] for piece in ordered if piece[:1] == _BEGIN and len(piece) > 1]

    def _ids_of(self, part: str) -> Sequence[int]:
        found = self.ids.get(part)
        return [self.ids[_byte_piece(byte)] for byte in part.encode()] if found is None else [found]


def flattened(lists: Sequence[Sequence[int]]) -> tuple[Int64Array, Int64Array]:
    """All ids one after the other, and where each word's begin. Shapes `(ids,)`, `(words,)`."""
    starts = np.cumsum([0, *map(len, lists)][:-1], dtype=np.int64)[: len(lists)]
    return np.fromiter((one for ids in lists for one in ids), np.int64), starts


def _byte_piece(byte: int) -> str:
    return f"<0x{byte:02X}>"
