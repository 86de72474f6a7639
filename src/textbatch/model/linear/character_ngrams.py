"""Character n-grams of words, as 64-bit keys (Bojanowski et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.model.linear.hash_index import KeyIndex
from textbatch.types import Int64Array

#: Lengths in characters. The marks at both ends of a word count.
SHORTEST, LONGEST = 3, 5
#: Only the beginning of a longer word is used, so that one word cannot delay the job.
MAX_CHARACTERS = 64

#: FNV's prime for 64 bits. A key is a hash that takes in one character after the other.
PRIME = np.uint64(0x100000001B3)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubwordEntries:
    """Pairs of a word and one of its n-grams. If a word has an n-gram twice, there are two pairs.

    Attributes:
        words: Positions of words. Shape `(entries,)`.
        subwords: Keys of n-grams, or positions in the keys of a `Subwords`. Shape `(entries,)`.
    """

    words: Int64Array
    subwords: Int64Array


@dataclass(frozen=True, kw_only=True)
class Subwords:
    """A set of n-grams.

    Attributes:
        keys: Their keys, ascending. Shape `(subwords,)`.
    """

    keys: Int64Array

    def __len__(self) -> int:
        return len(self.keys)

    def of_words(self, words: pa.Array) -> SubwordEntries:
        """Find the n-grams of words that are in this set.

        Args:
            words: Tokens. Shape `(words,)`.

        Returns:
            Words and n-grams, these as positions in `keys`.
        """
        entries = subword_keys(words)
        places = self._index.places(entries.subwords)
        known = places >= 0
        return SubwordEntries(words=entries.words[known], subwords=places[known])

    @cached_property
    def _index(self) -> KeyIndex:
        return KeyIndex(keys=self.keys)


def subword_keys(words: pa.Array) -> SubwordEntries:
    """All n-grams of words, as keys.

    Args:
        words: Tokens. They hold no `<` and `>`, which are used to mark their ends. Shape
            `(words,)`.

    Returns:
        Words and n-grams, these as keys: first all the shortest ones, in the order of the words.
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
        # The key of the n-gram that is one character shorter, and the next character.
        keys = (keys[:windows] ^ characters[size - 1 :]) * PRIME
        if size >= SHORTEST:
            inside = word_of[:windows] == word_of[size - 1 :]
            found_words.append(word_of[:windows][inside])
            found_keys.append(keys[inside].view(np.int64))
    return SubwordEntries(words=np.concatenate(found_words), subwords=np.concatenate(found_keys))
