"""What a network looks like, as data. Names and shapes of tensors come from here alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import get_args

from textbatch.errors import BundleError
from textbatch.model.choices import MAX_LAYERS, MAX_UNITS, MAX_VOCABULARY, Cell, Pooling
from textbatch.model.network.sizes import check_sizes

#: Limits on the sizes that a bundle may declare, so that a hostile one cannot ask for all memory.
_CAPS = {
    "vocabulary_size": MAX_VOCABULARY,
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
        units: Width of its state, in each direction.

    Raises:
        BundleError: There is no such cell, or the width is out of range.
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
    """A recurrent layer in the stack of layers.

    Attributes:
        name: Name of the layer. The names of its tensors begin with it.
        cell: See `RecurrentLayer`.
        units: See `RecurrentLayer`.
        inputs: Width of its input.
    """

    name: str
    cell: str
    units: int
    inputs: int

    @property
    def gates(self) -> int:
        """Width of all gates together, in each direction."""
        return _GATES[self.cell] * self.units


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Embedding → recurrent layers → pooling → dense → dense, over right-padded token ids.

    Attributes:
        vocabulary_size: Rows of the embedding table, with padding and OOV.
        embedding_dim: Dimensions of a word vector.
        layers: The recurrent layers, first to last.
        bidirectional: Whether each layer reads the text in both directions.
        pooling: What is taken of the states of the last layer: the last state (`last`), their mean,
            their maximum, or several of these side by side.
        dense_units: Width of the hidden dense layer.
        num_labels: Width of the output.
        max_sequence_length: Longer texts are cut to this many tokens.
        reset_after: The GRU variant: False as in Cho et al. (2014, v1), True as in cuDNN.

    Raises:
        BundleError: A size is out of range, or there is no such pooling.
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
        check_sizes(self.tensor_shapes())

    @property
    def directions(self) -> int:
        """In how many directions each layer reads."""
        return 2 if self.bidirectional else 1

    @property
    def poolings(self) -> tuple[str, ...]:
        """The single poolings, in the order in which they are put side by side."""
        return tuple(self.pooling.split("+"))

    @property
    def pooled_width(self) -> int:
        """Width of the input of the dense layer."""
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

        The layout is ONNX's (the first axis is the direction, gates are stacked along axis 1), so
        that the graph can point into the weights file. `W` is the input kernel, `R` the recurrent
        kernel, `B` the input bias followed by the recurrent bias.
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

    def products(self, steps: int) -> int:
        """How many multiplications a text of so many tokens takes, about."""
        each = sum(layer.gates * (layer.inputs + layer.units) for layer in self.stack())
        once = self.dense_units * (self.pooled_width + self.num_labels)
        return self.directions * each * steps + once

    def summary(self) -> str:
        """Describe the network in one line, for a person."""
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
        channels: Whole channels of the word vectors (spatial dropout, Tompson et al. 2015).
        between: Between two recurrent layers.
        last_input: At the input of the last recurrent layer, with the same mask at every step.
        pooled: At the input of the dense layer.
    """

    channels: float = 0.0
    between: float = 0.0
    last_input: float = 0.0
    pooled: float = 0.0
