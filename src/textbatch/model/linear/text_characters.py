"""Character n-grams of whole texts, across the borders of words, as 64-bit keys.

Where words are rare or have many forms, or where none are written, what stands between them says
as much as they do (Cavnar and Trenkle 1994).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textbatch.model.linear.character_ngrams import MAX_CHARACTERS, PRIME
from textbatch.model.linear.hash_index import KeyIndex
from textbatch.text.bucketing import slices
from textbatch.text.characters import ALONE, PIECE, classes, code_points, slices_of_bytes
from textbatch.text.vocabulary import OOV_ID, Vocabulary
from textbatch.types import BoolArray, Int64Array, TokenBatch

#: Lengths in characters. The spaces between words count, and one at both ends of a text.
SHORTEST, LONGEST = 1, 5
#: So many rows are spelt together, and so many characters looked at: memory stays small.
_ROWS_AT_ONCE, _AT_ONCE = 1024, 1 << 17
_SPACE = 0x20


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """The characters of tokens.

    Attributes:
        points: Code points, token after token. Shape `(characters,)`.
        offsets: Token `i` has those from `offsets[i]` to `offsets[i + 1]`. Shape `(tokens + 1,)`.
        close: Tokens of a script without spaces. Between two of them no space is put. Shape
            `(tokens,)`.
    """

    points: NDArray[np.uint32]
    offsets: Int64Array
    close: BoolArray

    @classmethod
    def of(cls, tokens: pa.Array) -> Spelling:
        """Look at the beginning of each token.

        Args:
            tokens: Strings without nulls. Shape `(tokens,)`.
        """
        cut = pc.utf8_slice_codeunits(tokens.cast(pa.large_string()), 0, MAX_CHARACTERS)
        parts = [code_points(part) for part in slices_of_bytes(cut, _AT_ONCE)]
        points = np.concatenate([np.zeros(0, np.uint32), *(points for points, _ in parts)])
        lengths = np.concatenate([np.zeros(0, np.int64), *(np.diff(ends) for _, ends in parts)])
        offsets = np.zeros(len(cut) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        # A token has a character at least; the space behind the last one is for a list of none.
        kinds = classes()[np.append(points, np.uint32(_SPACE))[offsets[:-1]]]
        return cls(points=points, offsets=offsets, close=(kinds == ALONE) | (kinds == PIECE))

    def followed_by(self, other: Spelling) -> Spelling:
        """Both lists, one after the other."""
        return Spelling(
            points=np.concatenate([self.points, other.points]),
            offsets=np.concatenate([self.offsets, self.offsets[-1] + other.offsets[1:]]),
            close=np.concatenate([self.close, other.close]),
        )


@dataclass(frozen=True, kw_only=True)
class TextNgrams:
    """A set of character n-grams of texts.

    Attributes:
        keys: Their keys, ascending. Shape `(ngrams,)`.
        vocabulary: Spells the known tokens.
    """

    keys: Int64Array
    vocabulary: Vocabulary

    @classmethod
    def build(
        cls, tokens: TokenBatch, vocabulary: Vocabulary, *, min_rows: int, most: int
    ) -> TextNgrams:
        """Keep the n-grams that occur in the most rows.

        Args:
            tokens: Tokens of the training texts, with the unknown ones.
            vocabulary: The vocabulary that the token ids come from.
            min_rows: N-grams that occur in fewer rows are left out.
            most: Limit on the n-grams that are kept.
        """
        every = cls(keys=np.zeros(0, np.int64), vocabulary=vocabulary)
        seen = [_distinct(rows, keys) for rows, keys in every._parts(tokens)]
        keys = np.concatenate(seen) if seen else np.zeros(0, np.int64)
        found, counts = np.unique(keys, return_counts=True)
        often = np.flatnonzero(counts >= min_rows)
        kept = often[np.argsort(-counts[often], kind="stable")[:most]]
        return cls(keys=np.sort(found[kept]), vocabulary=vocabulary)

    def __len__(self) -> int:
        return len(self.keys)

    def parts(self, tokens: TokenBatch) -> Iterator[tuple[Int64Array, Int64Array]]:
        """Find the n-grams of this set in rows, some rows at a time.

        Args:
            tokens: Tokens of the rows, with the unknown ones.

        Yields:
            Rows and n-grams, these as positions in `keys`; an n-gram that a row has twice is there
            twice. Each row is in one part. Shapes `(entries,)`.
        """
        for rows, keys in self._parts(tokens):
            places = self._index.places(keys)
            known = places >= 0
            yield rows[known], places[known]

    def _parts(self, tokens: TokenBatch) -> Iterator[tuple[Int64Array, Int64Array]]:
        """Rows and keys of all their n-grams, some rows at a time."""
        begun = 0
        for part in slices(tokens, _ROWS_AT_ONCE):
            points, offsets = _joined(part, self._spelling)
            first = 0
            while first < len(part):
                bound = offsets[first] + _AT_ONCE
                last = max(first + 1, int(np.searchsorted(offsets, bound, side="right")) - 1)
                here = points[offsets[first] : offsets[last]]
                rows = np.repeat(np.arange(first, last), np.diff(offsets[first : last + 1]))
                yield _keys(here, begun + rows)
                first = last
            begun += len(part)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling.of(self.vocabulary.array)

    @cached_property
    def _index(self) -> KeyIndex:
        return KeyIndex(keys=self.keys)


def _joined(tokens: TokenBatch, known: Spelling) -> tuple[NDArray[np.uint32], Int64Array]:
    """The characters of rows, with spaces between words; and the offsets of the rows."""
    numbers = tokens.token_ids.astype(np.int64)
    spelling = known
    if tokens.unknown is not None and len(tokens.unknown):
        distinct = tokens.unknown.dictionary_encode()
        spelling = known.followed_by(Spelling.of(distinct.dictionary))
        numbers[numbers == OOV_ID] = len(known.close) + np.asarray(distinct.indices)
    lengths = np.diff(spelling.offsets)[numbers]
    rows = np.repeat(np.arange(len(tokens)), tokens.lengths)
    # Spaces in front of each token, and one behind the last one of a row.
    before = np.ones(len(numbers), np.int64)
    close = spelling.close[numbers]
    before[1:] = ~(close[1:] & close[:-1] & (rows[1:] == rows[:-1]))
    behind = np.zeros(len(numbers), np.int64)
    behind[tokens.offsets[1:][tokens.lengths > 0] - 1] = 1
    ends = np.cumsum(before + lengths + behind)
    offsets = np.concatenate([[0], ends])[tokens.offsets]
    starts = ends - lengths - behind
    points = np.full(int(offsets[-1]), _SPACE, np.uint32)
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    points[np.repeat(starts, lengths) + within] = spelling.points[
        np.repeat(spelling.offsets[:-1][numbers], lengths) + within
    ]
    return points, offsets


def _keys(points: NDArray[np.uint32], rows: Int64Array) -> tuple[Int64Array, Int64Array]:
    """All n-grams of rows: the row of each, and its key."""
    characters = points.astype(np.uint64)
    keys = np.zeros(len(characters), np.uint64)
    found_rows, found_keys = [], []
    for size in range(1, LONGEST + 1):
        windows = max(0, len(characters) - size + 1)
        # The key of the n-gram that is one character shorter, and the next character. Lengths have
        # keys of their own, because no character is 0.
        keys = (keys[:windows] ^ characters[size - 1 :]) * PRIME
        if size >= SHORTEST:
            inside = rows[:windows] == rows[size - 1 :]
            found_rows.append(rows[:windows][inside])
            found_keys.append(keys[inside].view(np.int64))
    return np.concatenate(found_rows), np.concatenate(found_keys)


def _distinct(rows: Int64Array, keys: Int64Array) -> Int64Array:
    """The keys, each one once for each row that has it."""
    order = np.lexsort([rows, keys])
    rows, keys = rows[order], keys[order]
    fresh = np.ones(len(keys), bool)
    fresh[1:] = (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])
    return keys[fresh]
