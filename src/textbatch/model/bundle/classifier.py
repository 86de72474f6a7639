"""The classifier: everything that decides the answer to a text, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.model.bundle.blend import Blend
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain
from textbatch.model.network.chain_graph import build_chain_graph
from textbatch.model.network.onnx_graph import build_graph
from textbatch.model.network.weights import Weights
from textbatch.model.quality.calibration import softmax
from textbatch.model.quality.multi_label import MultiLabel
from textbatch.text.choices import Part
from textbatch.text.normalization import RULES_VERSION
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vectorized_text import TextRules
from textbatch.text.vocabulary import Vocabulary
from textbatch.types import Float32Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """What answers: `softmax((network + linear model) / temperature)`, or a sigmoid for each label.

    Attributes:
        architecture: Sizes of the network.
        vocabulary: Known tokens.
        labels: The labels, in the order of the network's outputs.
        weights: All tensors of the network.
        text: How a model that was made with Keras splits texts; None for textbatch's own rules.
        text_rules: Version of textbatch's own rules.
        blend: A linear model beside the network; None without one.
        temperature: Logits are divided by it; 1 before calibration.
        on_long: Which part of long texts is used; None for the first tokens, or as Keras was told.
        multi_label: How each label is answered by itself; None where each text has one label.
    """

    architecture: Architecture | Chain
    vocabulary: Vocabulary
    labels: tuple[str, ...]
    weights: Weights
    text: TextRules | None = None
    text_rules: int = RULES_VERSION
    blend: Blend | None = None
    temperature: float = 1.0
    on_long: Part | None = None
    multi_label: MultiLabel | None = None

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer for these weights."""
        return Tokenizer(
            vocabulary=self.vocabulary,
            max_sequence_length=self.architecture.max_sequence_length,
            rules=self.text,
            version=self.text_rules,
            on_long=self.on_long or "auto",
        )

    def probabilities(self, logits: Float32Array) -> Float32Array:
        """Turn logits into calibrated probabilities.

        Args:
            logits: Of network and linear model together. Shape `(rows, labels)`.

        Returns:
            Shape `(rows, labels)`.
        """
        if self.multi_label:
            return self.multi_label.probabilities(logits)
        return softmax(logits, self.temperature)

    @property
    def graph(self) -> bytes:
        """The ONNX graph, built from the architecture by this version of textbatch."""
        network, offsets = self.architecture, self.weights.offsets
        if isinstance(network, Chain):
            return build_chain_graph(network, offsets)
        return build_graph(network, offsets)
