"""A chain of layers that was made with Keras, as data.

`Architecture` is what textbatch trains. A chain is what others trained: it may compute padding, as
Keras does without a mask, and it has layers that `Architecture` lacks. Names and shapes of its
tensors come from here alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from textbatch.errors import BundleError
from textbatch.model.choices import MAX_UNITS, MAX_VOCABULARY
from textbatch.model.network.sizes import check_sizes
from textbatch.text.choices import Side

ChainKind = Literal[
    "gru", "lstm", "conv1d", "dense", "activation", "scale", "max", "mean", "flatten"
]
Activation = Literal[
    "linear", "relu", "tanh", "sigmoid", "elu", "selu", "softplus", "softsign", "exponential"
]
#: `hard_sigmoid` is Keras 2's, max(0, min(1, 0.2 x + 0.5)); `hard_sigmoid_3` has x / 6 instead.
Gate = Literal["sigmoid", "hard_sigmoid", "hard_sigmoid_3"]
Merge = Literal["", "concat", "sum", "mul", "ave"]
Border = Literal["valid", "same", "causal"]

_REMEDY = "take another copy of the model, or import it again"
_RECURRENT = {"gru": 3, "lstm": 4}
#: Limits on what a bundle may declare, so that a hostile one cannot ask for all memory.
_MAX_LAYERS, _MAX_WIDTH, _MAX_KERNEL = 64, 1 << 20, 1024
#: The most numbers between two layers, over all steps of a text.
MAX_TEXT_VALUES = 1 << 23
_CAPS = {
    "vocabulary_size": MAX_VOCABULARY,
    "embedding_dim": 4096,
    "num_labels": 10_000,
    "max_sequence_length": 10_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLayer:
    """A layer of a chain. Fields that its kind does not use keep their defaults.

    Attributes:
        kind: `scale` is a batch normalization, `max` and `mean` pool over time.
        units: Width of its output: of `gru`, `lstm`, `dense`, and `conv1d` (its filters).
        sequence: Whether a recurrent layer gives its state at each step, or the last one.
        zeros: Whether a recurrent layer gives zeros where the mask skips a step, instead of the
            state before it.
        merge: How the two directions of a recurrent layer are put together; empty for one.
        reset_after: Of a GRU; see `Architecture`.
        activation: What is applied to its output; of a recurrent layer, to its new state.
        gate: The activation of a recurrent layer's gates.
        kernel: Steps that a convolution sees at once.
        stride: Steps between two outputs of a convolution.
        dilation: Distance between the steps that a convolution sees at once.
        border: What a convolution does at both ends.

    Raises:
        BundleError: A number is out of range.
    """

    kind: ChainKind
    units: int = 0
    sequence: bool = False
    zeros: bool = False
    merge: Merge = ""
    reset_after: bool = False
    activation: Activation = "linear"
    gate: Gate = "sigmoid"
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    border: Border = "valid"

    def __post_init__(self) -> None:
        wide = self.kind in ("gru", "lstm", "dense", "conv1d")
        for name, low, high in (
            ("units", int(wide), MAX_UNITS if self.kind in _RECURRENT else _CAPS["num_labels"]),
            ("kernel", 1, _MAX_KERNEL),
            ("stride", 1, _MAX_KERNEL),
            ("dilation", 1, _MAX_KERNEL),
        ):
            if not low <= getattr(self, name) <= high:
                raise BundleError(
                    f"{name} of a layer is {getattr(self, name)}, outside {low} to {high}", _REMEDY
                )

    @property
    def directions(self) -> int:
        """In how many directions a recurrent layer reads."""
        return 2 if self.merge else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLayer:
    """A layer at its place.

    Attributes:
        name: Its number. The names of its tensors begin with it.
        layer: What it does.
        inputs: Width of its input.
        outputs: Width of its output.
        steps: Steps of its input; 0 if it has no steps.
        masked: Whether a mask comes with its input, so that it skips padding.
    """

    name: str
    layer: ChainLayer
    inputs: int
    outputs: int
    steps: int
    masked: bool

    @property
    def gates(self) -> int:
        """Width of all gates of a recurrent layer together, in each direction."""
        return _RECURRENT[self.layer.kind] * self.layer.units


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Embedding → layers → logits, over token ids that are padded to `max_sequence_length`.

    Attributes:
        vocabulary_size: Rows of the embedding table, with padding and OOV.
        embedding_dim: Dimensions of a word vector.
        mask_zero: Whether layers that can skip padding do so.
        padding: On which side texts are padded.
        layers: The layers, first to last. The last one is `dense`, and gives the logits.
        num_labels: Width of the output.
        max_sequence_length: Texts are padded and cut to this many tokens.

    Raises:
        BundleError: A number is out of range, or the layers do not fit together.
    """

    vocabulary_size: int
    embedding_dim: int
    mask_zero: bool
    padding: Side
    layers: tuple[ChainLayer, ...]
    num_labels: int
    max_sequence_length: int

    def __post_init__(self) -> None:
        for name, cap in _CAPS.items():
            if not 0 < getattr(self, name) <= cap:
                raise BundleError(f"{name} is {getattr(self, name)}, outside 1 to {cap}", _REMEDY)
        if not 0 < len(self.layers) <= _MAX_LAYERS:
            raise BundleError(
                f"layers has {len(self.layers)} entries, outside 1 to {_MAX_LAYERS}", _REMEDY
            )
        if self.max_sequence_length * self.widest > MAX_TEXT_VALUES:
            raise BundleError(
                f"a text has {self.max_sequence_length} steps of up to {self.widest} numbers, more "
                f"than {MAX_TEXT_VALUES:,} together",
                _REMEDY,
            )
        *_, last = self.placed()
        fits = last.layer.kind == "dense" and last.layer.activation == "linear"
        if not (fits and last.steps == 0 and last.outputs == self.num_labels):
            raise BundleError("the last layer does not give a logit for each label", _REMEDY)
        check_sizes(self.tensor_shapes())

    @property
    def bidirectional(self) -> bool:
        """Whether a layer reads in both directions."""
        return any(layer.merge for layer in self.layers)

    @property
    def widest(self) -> int:
        """The most numbers that a layer computes for one step of a text."""
        widths = [self.embedding_dim]
        for placed in self.placed():
            if placed.layer.kind in _RECURRENT:
                widths.append(placed.gates * placed.layer.directions)
            elif placed.steps and placed.layer.kind != "flatten":
                widths.append(placed.outputs)
        return max(widths)

    @property
    def computes_padding(self) -> bool:
        """Whether a layer sees padding, so that all texts have the same number of steps."""
        return any(
            placed.steps and (placed.layer.kind in _SEE_ALL or not placed.masked)
            for placed in self.placed()
        )

    def placed(self) -> Iterator[PlacedLayer]:
        """The layers at their places.

        Raises:
            BundleError: A layer does not fit the one before it.
        """
        width, steps, masked = self.embedding_dim, self.max_sequence_length, self.mask_zero
        for number, layer in enumerate(self.layers):
            in_time = layer.kind not in ("dense", "activation", "scale")
            if in_time and not steps:
                raise BundleError(f"layer {number} ({layer.kind}) has no steps to read", _REMEDY)
            inputs, before = width, steps
            if layer.kind in _RECURRENT:
                width = (2 if layer.merge == "concat" else 1) * layer.units
                steps = steps if layer.sequence else 0
            elif layer.kind == "dense":
                width = layer.units
            elif layer.kind == "conv1d":
                width, steps = layer.units, _steps_after(layer, steps)
            elif layer.kind == "flatten":
                width, steps = width * steps, 0
            elif layer.kind in ("max", "mean"):
                steps = 0
            if not 0 < width <= _MAX_WIDTH or steps < 0 or (layer.kind == "conv1d" and not steps):
                raise BundleError(f"layer {number} ({layer.kind}) has no fitting size", _REMEDY)
            yield PlacedLayer(
                name=str(number),
                layer=layer,
                inputs=inputs,
                outputs=width,
                steps=before,
                masked=masked,
            )
            masked = masked and layer.kind not in _SEE_ALL

    def tensor_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all weights, in the order in which the bundle stores them.

        Recurrent layers have the layout of `Architecture.tensor_shapes`. The `W` of a convolution
        is `(filters, inputs, kernel)`.
        """
        shapes: dict[str, tuple[int, ...]] = {
            "embedding": (self.vocabulary_size, self.embedding_dim)
        }
        for placed in self.placed():
            name, layer = placed.name, placed.layer
            if layer.kind in _RECURRENT:
                shapes[f"{name}.W"] = (layer.directions, placed.gates, placed.inputs)
                shapes[f"{name}.R"] = (layer.directions, placed.gates, layer.units)
                shapes[f"{name}.B"] = (layer.directions, 2 * placed.gates)
            elif layer.kind in ("dense", "conv1d"):
                kernel = (layer.units, placed.inputs, layer.kernel)
                wide = (placed.inputs, layer.units)
                shapes[f"{name}.W"] = wide if layer.kind == "dense" else kernel
                shapes[f"{name}.B"] = (layer.units,)
            elif layer.kind == "scale":
                shapes[f"{name}.W"] = shapes[f"{name}.B"] = (placed.inputs,)
        return shapes

    def products(self, steps: int) -> int:
        """How many multiplications a text of so many tokens takes, about."""
        if self.computes_padding:
            steps = self.max_sequence_length
        shapes, total = self.tensor_shapes(), 0
        for placed in self.placed():
            each = sum(math.prod(shapes.get(f"{placed.name}.{kind}", (0,))) for kind in "WR")
            total += each * (min(steps, placed.steps) if placed.steps else 1)
        return total

    def summary(self) -> str:
        """Describe the network in one line, for a person."""
        words = f"{self.vocabulary_size:,} words × {self.embedding_dim}"
        mask = "" if self.mask_zero else ", padding included"
        steps = [words, *map(_told, self.layers[:-1]), f"{self.num_labels:,} labels"]
        return f"{' → '.join(steps)}; texts cut at {self.max_sequence_length:,} tokens{mask}"


#: Layers that see padding even if a mask is there. Keras drops the mask before them.
_SEE_ALL = ("conv1d", "max", "flatten")


def _steps_after(layer: ChainLayer, steps: int) -> int:
    reach = layer.dilation * (layer.kernel - 1)
    return -(-(steps - (reach if layer.border == "valid" else 0)) // layer.stride)


def _told(layer: ChainLayer) -> str:
    both = "bidirectional " if layer.merge else ""
    if layer.kind in _RECURRENT:
        return f"{both}{layer.kind.upper()} {layer.units}"
    return f"{layer.kind} {layer.units}" if layer.units else layer.kind
