"""What predicts the chunks of a file: a `Predictor` of this process, or several processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pyarrow as pa

from textbatch.model.bundle.bundle import Bundle
from textbatch.types import BoolArray, Predictions


class EngineTold(Protocol):
    """What a run tells of its engine."""

    @property
    def name(self) -> str:
        """The name that `--engine` has for it."""
        ...

    @property
    def device(self) -> str:
        """`cpu` or `gpu`."""
        ...

    @property
    def precision(self) -> str:
        """The value of `--precision`."""
        ...


class Pending(Protocol):
    """A chunk that is being predicted."""

    def result(self) -> Predictions:
        """Wait for the predictions, in the order of the rows."""
        ...


class ChunkPredictor(Protocol):
    """Predicts chunks. Results are taken in the order of the starts.

    Attributes:
        in_flight: How many chunks it works on while the next one is read.
        tokens_seen: Tokens in the texts so far.
        unknown_tokens: Those of them that are not in the vocabulary.
        early_rows: Rows that the linear model answered alone.
    """

    in_flight: int
    tokens_seen: int
    unknown_tokens: int
    early_rows: int

    @property
    def engine(self) -> EngineTold:
        """What runs the network."""
        ...

    def start(self, texts: pa.Array, undecodable: BoolArray | None = None) -> Pending:
        """Begin to predict a chunk.

        Args:
            texts: Valid strings or null. Shape `(rows,)`.
            undecodable: True where a null means that the text is not UTF-8. Shape `(rows,)`.
        """
        ...


class SpreadPredictor(ChunkPredictor, Protocol):
    """Predicts in several processes."""

    @property
    def known_engine(self) -> EngineTold | None:
        """What runs the network, if a process has told it; `engine` waits for that."""
        ...

    def close(self) -> None:
        """End the processes."""
        ...


#: Makes the processes for a model.
Spread = Callable[[Bundle], SpreadPredictor]
