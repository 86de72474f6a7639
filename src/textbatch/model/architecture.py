"""What a network looks like, as data: the one source of its tensor names and shapes."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.errors import BundleError

#: A cap on every size that a bundle may declare, so that a hostile one cannot ask for the moon.
_CAPS = {
    "vocabulary_size": 5_000_000,
    "embedding_dim": 4096,
    "gru_units": 4096,
    "lstm_units": 4096,
    "dense_units": 4096,
    "num_labels": 10_000,
    "max_sequence_length": 10_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Embedding → GRU → LSTM → dense → dense, over right-padded token ids.

    Attributes:
        vocabulary_size: Rows of the embedding table, padding and OOV included.
        embedding_dim: Numbers in a word vector.
        gru_units: Width of the first recurrent layer.
        lstm_units: Width of the second.
        dense_units: Width of the hidden dense layer.
        num_labels: Width of the output.
        max_sequence_length: Longer texts are cut to this many tokens.
        reset_after: The GRU variant: False as in Cho et al. (2014, v1), True as in cuDNN.

    Raises:
        BundleError: A size is not positive or above its cap.
    """

    vocabulary_size: int
    embedding_dim: int
    gru_units: int
    lstm_units: int
    dense_units: int
    num_labels: int
    max_sequence_length: int
    reset_after: bool

    def __post_init__(self) -> None:
        for name, cap in _CAPS.items():
            if not 0 < getattr(self, name) <= cap:
                raise BundleError(f"{name} is {getattr(self, name)}, outside 1 to {cap}")

    def tensor_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all weights, in the order in which the bundle stores them.

        The layout is ONNX's (gates stacked along axis 1, a leading axis of one direction), so
        that the graph can point into the weights file: `W` is the input kernel, `R` the
        recurrent one, `B` the input bias followed by the recurrent bias.
        """
        gru, lstm = 3 * self.gru_units, 4 * self.lstm_units
        return {
            "embedding": (self.vocabulary_size, self.embedding_dim),
            "gru.W": (1, gru, self.embedding_dim),
            "gru.R": (1, gru, self.gru_units),
            "gru.B": (1, 2 * gru),
            "lstm.W": (1, lstm, self.gru_units),
            "lstm.R": (1, lstm, self.lstm_units),
            "lstm.B": (1, 2 * lstm),
            "dense.W": (self.lstm_units, self.dense_units),
            "dense.B": (self.dense_units,),
            "logits.W": (self.dense_units, self.num_labels),
            "logits.B": (self.num_labels,),
        }
