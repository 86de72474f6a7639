"""What a network looks like, as data: the one source of its tensor names and shapes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import get_args

from textbatch.errors import BundleError
from textbatch.model.choices import MAX_LAYERS, MAX_UNITS, Cell, Pooling

#: A cap on every size that a bundle may declare, so that a hostile one cannot ask for the moon.
_CAPS = {
    "vocabulary_size": 5_000_000,
    "embedding_dim": 4096,
    "dense_units": 4096,
    "num_labels": 10_000,
    "max_sequence_length": 10_000,
}
_GATES = {"gru": 3, "lstm": 4}


_REMEDY = "take another copy of the model, or train it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentLayer:
    """One recurrent layer.

    Attributes:
        cell: `gru` (Cho et al. 2014) or `lstm` (Hochreiter and Schmidhuber 1997).
        units: Width of its state, per direction.

    Raises:
        BundleError: There is no such cell, or the width is not positive or above its cap.
    """

    cell: str
    units: int

    def __post_init__(self) -> None:
        if self.cell not in get_args(Cell):
            raise BundleError(f"cell is none of {', '.join(get_args(Cell))}", _REMEDY)
        if not 0 < self.units <= MAX_UNITS:
            raise BundleError(f"units is {self.units}, outside 1 to {MAX_UNITS}", _REMEDY)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedLayer:
    """A recurrent layer in its place.

    Attributes:
        name: Of the layer, and what its tensors' names begin with.
        cell: See `RecurrentLayer`.
        units: See `RecurrentLayer`.
        inputs: Width of what it reads.
    """

    name: str
    cell: str
    units: int
    inputs: int

    @property
    def gates(self) -> int:
        """Width of all gates together, per direction."""
        return _GATES[self.cell] * self.units


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Embedding → recurrent layers → pooling → dense → dense, over right-padded token ids.

    Attributes:
        vocabulary_size: Rows of the embedding table, padding and OOV included.
        embedding_dim: Numbers in a word vector.
        layers: The recurrent layers, the first one first.
        bidirectional: Whether each layer reads the text both ways.
        pooling: What the states of the last layer become: its state at the end of reading
            (`last`), their mean, their maximum, or several of these side by side.
        dense_units: Width of the hidden dense layer.
        num_labels: Width of the output.
        max_sequence_length: Longer texts are cut to this many tokens.
        reset_after: The GRU variant: False as in Cho et al. (2014, v1), True as in cuDNN.

    Raises:
        BundleError: A size is not positive or above its cap, or there is no such pooling.
    """

    vocabulary_size: int
    embedding_dim: int
    layers: tuple[RecurrentLayer, ...]
    bidirectional: bool
    pooling: str
    dense_units: int
    num_labels: int
    max_sequence_length: int
    reset_after: bool

    def __post_init__(self) -> None:
        for name, cap in _CAPS.items():
            if not 0 < getattr(self, name) <= cap:
                raise BundleError(f"{name} is {getattr(self, name)}, outside 1 to {cap}", _REMEDY)
        if not 0 < len(self.layers) <= MAX_LAYERS:
            raise BundleError(
                f"layers has {len(self.layers)} entries, outside 1 to {MAX_LAYERS}", _REMEDY
            )
        if self.pooling not in get_args(Pooling):
            raise BundleError(f"pooling is none of {', '.join(get_args(Pooling))}", _REMEDY)

    @property
    def directions(self) -> int:
        """How many ways each layer reads."""
        return 2 if self.bidirectional else 1

    @property
    def poolings(self) -> tuple[str, ...]:
        """The single poolings, in the order in which they stand side by side."""
        return tuple(self.pooling.split("+"))

    @property
    def pooled_width(self) -> int:
        """Width of what the dense layer reads."""
        return len(self.poolings) * self.directions * self.layers[-1].units

    def stack(self) -> tuple[StackedLayer, ...]:
        """The recurrent layers with names (`gru`, `lstm`, then `gru2`, …) and input widths."""
        inputs, seen = self.embedding_dim, Counter[str]()
        placed: list[StackedLayer] = []
        for layer in self.layers:
            seen[layer.cell] += 1
            number = "" if seen[layer.cell] == 1 else str(seen[layer.cell])
            placed.append(
                StackedLayer(
                    name=layer.cell + number, cell=layer.cell, units=layer.units, inputs=inputs
                )
            )
            inputs = self.directions * layer.units
        return tuple(placed)

    def tensor_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all weights, in the order in which the bundle stores them.

        The layout is ONNX's (a leading axis of directions, gates stacked along axis 1), so
        that the graph can point into the weights file: `W` is the input kernel, `R` the
        recurrent one, `B` the input bias followed by the recurrent bias.
        """
        shapes: dict[str, tuple[int, ...]] = {
            "embedding": (self.vocabulary_size, self.embedding_dim)
        }
        for layer in self.stack():
            shapes[f"{layer.name}.W"] = (self.directions, layer.gates, layer.inputs)
            shapes[f"{layer.name}.R"] = (self.directions, layer.gates, layer.units)
            shapes[f"{layer.name}.B"] = (self.directions, 2 * layer.gates)
        return {
            **shapes,
            "dense.W": (self.pooled_width, self.dense_units),
            "dense.B": (self.dense_units,),
            "logits.W": (self.dense_units, self.num_labels),
            "logits.B": (self.num_labels,),
        }

    def summary(self) -> str:
        """The network on one line, for a person."""
        ways = "bidirectional " if self.bidirectional else ""
        steps = [
            f"{self.vocabulary_size:,} words × {self.embedding_dim}",
            *(f"{ways}{layer.cell.upper()} {layer.units}" for layer in self.layers),
            self.pooling,
            f"dense {self.dense_units}",
            f"{self.num_labels:,} labels",
        ]
        return f"{' → '.join(steps)}; texts cut at {self.max_sequence_length:,} tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout:
    """How much is dropped in training, as shares from 0 to 1.

    Attributes:
        channels: Channels of the word vectors, whole (spatial dropout, Tompson et al. 2015).
        between: Between two recurrent layers.
        last_input: At the last recurrent layer's input, the same mask at every step.
        pooled: What the dense layer reads.
    """

    channels: float = 0.0
    between: float = 0.0
    last_input: float = 0.0
    pooled: float = 0.0
