"""Word vectors, and how they are trained."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.types import Float32Array

#: The most numbers that a word vector may have, whatever a file's header tells.
MAX_DIM = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorSettings:
    """Skip-gram with negative sampling (Mikolov et al. 2013).

    Attributes:
        dim: Numbers in a vector.
        window: Words to each side that count as context.
        epochs: Passes over the texts.
    """

    dim: int = 100
    window: int = 8
    epochs: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class WordVectors:
    """Words and their vectors, frequent ones first where the source knows.

    Attributes:
        words: Tokens, as texts yield them.
        table: Shape `(words, dim)`.
    """

    words: tuple[str, ...]
    table: Float32Array
