"""What predicts the chunks of a file: `Predictors` of this process, or several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import pyarrow as pa

from textbatch.data.output.answer_counts import WorkCounts
from textbatch.scoring.bundles import Bundles
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
    """

    in_flight: int

    @property
    def work(self) -> Sequence[WorkCounts]:
        """See `Predictors.work`."""
        ...

    @property
    def cached_rows(self) -> int:
        """Rows whose answers came from a cache."""
        ...

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


#: Makes the processes for the models of a run.
Spread = Callable[[Bundles], SpreadPredictor]
