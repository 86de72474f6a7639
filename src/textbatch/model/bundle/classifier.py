"""The classifier: everything that decides the answer to a text, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.model.bundle.blend import Blend
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.onnx_graph import build_graph
from textbatch.model.network.weights import Weights
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """What answers: `softmax((network + linear model) / temperature)`.

    Attributes:
        architecture: Sizes of the network.
        vocabulary: Known tokens.
        labels: The labels, in the order of the network's outputs.
        weights: All tensors of the network.
        blend: A linear model beside the network; None without one.
        temperature: Logits are divided by it; 1 before calibration.
    """

    architecture: Architecture
    vocabulary: Vocabulary
    labels: tuple[str, ...]
    weights: Weights
    blend: Blend | None = None
    temperature: float = 1.0

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer for these weights."""
        return Tokenizer(
            vocabulary=self.vocabulary,
            max_sequence_length=self.architecture.max_sequence_length,
        )

    @property
    def graph(self) -> bytes:
        """The ONNX graph, built from the architecture by this version of textbatch."""
        return build_graph(self.architecture, self.weights.offsets)
