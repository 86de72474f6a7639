"""Character n-grams of words, as 64-bit keys (Bojanowski et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.model.linear.hash_index import KeyIndex
from textbatch.types import Int64Array

#: Lengths in characters, the marks at a word's ends included.
SHORTEST, LONGEST = 3, 5
#: Of a longer word only its beginning is looked at, so that one cannot hold up the job.
MAX_CHARACTERS = 64

#: FNV's prime for 64 bits, with which a key takes up one character after the other.
_PRIME = np.uint64(0x100000001B3)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubwordEntries:
    """Which word has which n-gram; an n-gram that a word has twice stands there twice.

    Attributes:
        words: Shape `(entries,)`.
        subwords: Keys, or places among the keys of a `Subwords`. Shape `(entries,)`.
    """

    words: Int64Array
    subwords: Int64Array


@dataclass(frozen=True, kw_only=True)
class Subwords:
    """Which n-grams there are.

    Attributes:
        keys: Ascending. Shape `(subwords,)`.
    """

    keys: Int64Array

    def __len__(self) -> int:
        return len(self.keys)

    def of_words(self, words: pa.Array) -> SubwordEntries:
        """The n-grams that are among the keys, by their places."""
        entries = subword_keys(words)
        places = self._index.places(entries.subwords)
        known = places >= 0
        return SubwordEntries(words=entries.words[known], subwords=places[known])

    @cached_property
    def _index(self) -> KeyIndex:
        return KeyIndex(keys=self.keys)


def subword_keys(words: pa.Array) -> SubwordEntries:
    """All n-grams of words, by their keys.

    Args:
        words: Tokens, without `<` and `>`, which mark their ends. Shape `(words,)`.

    Returns:
        Of every word its n-grams, the shorter ones first, in the order of the text.
    """
    cut = pc.utf8_slice_codeunits(words.cast(pa.large_string()), 0, MAX_CHARACTERS)
    lengths = pc.utf8_length(cut).to_numpy(zero_copy_only=False).astype(np.int64) + 2
    marked = "".join(f"<{word}>" for word in cut.to_pylist())
    characters = np.frombuffer(marked.encode("utf-32-le"), np.uint32).astype(np.uint64)
    word_of = np.repeat(np.arange(len(words)), lengths)
    keys = np.zeros(len(characters), np.uint64)
    found_words, found_keys = [], []
    for size in range(1, LONGEST + 1):
        windows = max(0, len(characters) - size + 1)
        # The key of what is one character shorter, and the character behind it.
        keys = (keys[:windows] ^ characters[size - 1 :]) * _PRIME
        if size >= SHORTEST:
            inside = word_of[:windows] == word_of[size - 1 :]
            found_words.append(word_of[:windows][inside])
            found_keys.append(keys[inside].view(np.int64))
    return SubwordEntries(words=np.concatenate(found_words), subwords=np.concatenate(found_keys))
