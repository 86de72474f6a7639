"""What fitting leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textbatch.model.fitting.settings import Epoch
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.weights import Weights
from textbatch.model.vectors.coverage import VectorCoverage
from textbatch.text.tokenizer import Tokenizer
from textbatch.types import Float32Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A fitted network with its vocabulary, not yet calibrated.

    Attributes:
        tokenizer: From the training texts alone.
        architecture: Sizes of the network.
        vectors: Word vectors as the network began with them. Shape `(vocabulary, dim)`.
        weights: Those of the best pass.
        epochs: What each pass measured.
        coverage: What each source of word vectors gave; None where no file was named.
        warnings: What was left out.
    """

    tokenizer: Tokenizer
    architecture: Architecture
    vectors: Float32Array
    weights: Weights
    epochs: list[Epoch]
    coverage: VectorCoverage | None = None
    warnings: Sequence[str] = ()

    @property
    def best_epoch(self) -> Epoch:
        """The pass whose weights were kept: the least validation loss."""
        return min(self.epochs, key=lambda epoch: epoch.validation_loss)
