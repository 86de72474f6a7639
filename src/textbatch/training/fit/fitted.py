"""What a network begins with, and what fitting gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textbatch.model.bundle.classifier import Classifier
from textbatch.model.fitting.settings import Epoch
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain
from textbatch.model.network.weights import Weights
from textbatch.model.vectors.coverage import VectorCoverage
from textbatch.model.vectors.types import WordVectors
from textbatch.text.tokenizer import Tokenizer
from textbatch.types import Float32Array


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStart:
    """What a network begins with.

    Attributes:
        tokenizer: Its vocabulary comes from the training texts and from other sources of vectors.
        architecture: Sizes of the network.
        vectors: The embedding table. Shape `(vocabulary_size, embedding_dim)`.
        coverage: How many words each source has vectors for; None if no file was named.
        warnings: What was left out.
        word_vectors: Vectors of words that others published, for the linear model; None without.
        weights: The weights of a network to go on from; None for a new one.
    """

    tokenizer: Tokenizer
    architecture: Architecture | Chain
    vectors: Float32Array
    coverage: VectorCoverage | None = None
    warnings: Sequence[str] = ()
    word_vectors: WordVectors | None = None
    weights: Weights | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A fitted network, not yet calibrated.

    Attributes:
        start: What it began with.
        classifier: The network, with the weights of the best epoch.
        epochs: What each epoch measured; empty if the network was fitted elsewhere.
        preset: The recipe that it was fitted with.
    """

    start: NetworkStart
    classifier: Classifier
    epochs: list[Epoch]
    preset: str

    @property
    def best_epoch(self) -> int:
        """Number of the epoch whose weights were kept; 0 if there is none."""
        return self._best.number if self.epochs else 0

    @property
    def validation_loss(self) -> float:
        """The least validation loss, which is that of the best epoch."""
        return self._best.validation_loss

    @property
    def _best(self) -> Epoch:
        return min(self.epochs, key=lambda epoch: epoch.validation_loss)
