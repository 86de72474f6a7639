"""Decides which rows of a file of word vectors are kept, while the file is read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa

from textbatch.errors import DataError
from textbatch.model.vectors.types import WordVectors
from textbatch.text.normalization import split_tokens
from textbatch.types import Float32Array


class KeptRows:
    """Collects the vectors of wanted words and of the first words of a file.

    The words of a file are turned into tokens by the rules for texts. A word that is not exactly
    one token is left out, because no text can hold it. If several words become one token ("The",
    "the"), the word that is equal to the token is taken, otherwise the first.

    Args:
        wanted: Tokens to keep.
        most_frequent: How many other tokens to keep. Files have frequent words first.
        where: Names rows of the file, for messages.

    Attributes:
        spaced: Rows that were left out because their word holds a space; counted by the reader.
    """

    def __init__(self, wanted: Collection[str], most_frequent: int, where: RowNames) -> None:
        self._wanted = frozenset(wanted)
        self._room = most_frequent
        self._where = where
        self._index: dict[str, int] = {}
        self._words: list[bytes] = []
        self._vectors: list[Float32Array] = []
        self._repeated = self.spaced = 0

    def choose(self, words: Sequence[bytes]) -> list[tuple[int, int]]:
        """Decide which rows of a block to parse.

        Args:
            words: The words of the block, as they are in the file.

        Returns:
            Pairs: the position of a row in the block, and the place to `put` its vector.
        """
        tokens, positions = single_tokens(words)
        chosen: list[tuple[int, int]] = []
        for token, position in zip(tokens, positions, strict=True):
            place = self._index.get(token)
            if place is None:
                if token not in self._wanted:
                    if not self._room:
                        continue
                    self._room -= 1
                chosen.append((position, self.add(token, words[position])))
            elif words[position] == self._words[place]:
                # As all readers of such files do: the first counts.
                self._repeated += 1
            elif words[position] == token.encode():
                self._words[place] = words[position]
                chosen.append((position, place))
        return chosen

    def add(self, token: str, word: bytes) -> int:
        """Make a place for one more token.

        Args:
            token: The token.
            word: The word, as it is in the file.

        Returns:
            The place, to `put` the vector.
        """
        self._index[token] = len(self._words)
        self._words.append(word)
        self._vectors.append(np.empty(0, np.float32))
        return self._index[token]

    def put(self, place: int, vector: Float32Array, row: int) -> None:
        """Keep a vector.

        Args:
            place: The place of its word.
            vector: Shape `(dim,)`.
            row: Number of its row in the file, from 0, for messages.

        Raises:
            DataError: It holds a NaN or an infinite number.
        """
        if not np.isfinite(vector).all():
            raise DataError(
                f"{self._where.name(row)} holds a number that is NaN or infinite",
                "mend the row or leave it out",
            )
        self._vectors[place] = vector

    def missing(self) -> list[str]:
        """Wanted tokens that were not found so far, sorted."""
        return sorted(self._wanted - self._index.keys())

    def words(self) -> list[bytes]:
        """The kept words as they are in the file, in the order of their places."""
        return self._words

    def vectors(self) -> WordVectors:
        """All vectors that were kept.

        Raises:
            DataError: None was kept.
        """
        if not self._vectors:
            raise DataError(
                f"{self._where.path} has no vector of any word needed", "check its language"
            )
        return WordVectors(
            words=tuple(self._index),
            table=np.stack(self._vectors),
            spaced=self.spaced,
            repeated=self._repeated,
        )


class RowNames:
    """Names the rows of a file in messages, such as `line 7 of vectors.txt`.

    Args:
        path: The file.
        kind: What a row is called, such as `line`.
        first: Number of the first row.
    """

    def __init__(self, path: object, kind: str, first: int) -> None:
        self.path = path
        self._kind, self._first = kind, first

    def name(self, row: int) -> str:
        """The name of a row, by its number from 0."""
        return f"{self._kind} {row + self._first} of {self.path}"


def single_tokens(words: Sequence[bytes]) -> tuple[list[str], list[int]]:
    """Find the words that are exactly one token.

    Args:
        words: Words as UTF-8; what is none is no word of a text.

    Returns:
        These tokens, and their words' positions.
    """
    raw = pa.array(words, pa.large_binary())
    try:
        texts = raw.cast(pa.large_string())
    except pa.ArrowInvalid:
        # Old word2vec tools cut words inside a character. No text can hold such a word.
        texts = pa.array([_decoded(word) for word in words], pa.large_string())
    tokens, offsets = split_tokens(texts)
    single = np.flatnonzero(np.diff(offsets) == 1)
    return tokens.take(pa.array(offsets[single])).to_pylist(), single.tolist()


def _decoded(word: bytes) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError:
        return ""
