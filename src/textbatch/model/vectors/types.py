"""Word vectors, and how they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textbatch.types import Float32Array

#: Limit on the dimensions of a word vector, whatever the header of a file says.
MAX_DIM = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorSettings:
    """Settings of skip-gram with negative sampling (Mikolov et al. 2013).

    Attributes:
        dim: Dimensions of a vector.
        window: Number of words on each side that count as context.
        epochs: How many times training goes through the texts.
    """

    dim: int = 100
    window: int = 8
    epochs: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class WordVectors:
    """Words and their vectors. Frequent words come first, if the source knows which they are.

    Attributes:
        words: The words, as tokens of texts. Shape `(words,)`.
        table: Their vectors. Shape `(words, dim)`.
        spaced: How many rows of the file were left out, because their word holds a space.
        repeated: How many were left out, because their word came before.
    """

    words: tuple[str, ...]
    table: Float32Array
    spaced: int = 0
    repeated: int = 0

    def of_tokens(self, tokens: Sequence[str]) -> Float32Array:
        """The vectors of tokens, with zeros for those that have none. Shape `(tokens, dim)`.

        Args:
            tokens: The tokens, in the order in which the vectors are wanted.
        """
        place_of = {word: place for place, word in enumerate(self.words)}
        held = [(row, place_of[one]) for row, one in enumerate(tokens) if one in place_of]
        rows, places = np.array(held, np.int64).reshape(-1, 2).T
        table = np.zeros((len(tokens), self.table.shape[1]), np.float32)
        table[rows] = self.table[places]
        return table

    def skipped(self) -> str:
        """What was left out of the file, for a message; empty where nothing was."""
        told = {"whose word holds a space": self.spaced, "of a repeated word": self.repeated}
        return ", ".join(f"{count:,} rows {what}" for what, count in told.items() if count)
