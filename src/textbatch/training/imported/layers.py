"""The layers of a Keras file as the network of a bundle, with its weights.

Nothing is guessed: a layer, or a setting of one, whose answers cannot be computed as Keras computes
them is refused with its name and the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from textbatch.model.keras_files.keras_layers import KerasFile, KerasLayer
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.as_architecture import as_architecture
from textbatch.model.network.chain import Activation, Chain, ChainLayer
from textbatch.text.choices import Side
from textbatch.training.imported.layer_readers import OpenLayer, Read, kind_of, read_layer, unfit
from textbatch.types import Float32Array

#: Layers that do nothing after training.
_TRAINING_ONLY = (
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
    "InputLayer", "SpatialDropout1D",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedNetwork:
    """A network that was read from a Keras file.

    Attributes:
        network: An `Architecture` where it is one, because that is fastest; else a chain.
        tensors: Its weights by name, as `tensor_shapes` of the network lists them.
        activation: Of the original's output: `linear`, `softmax` or `sigmoid`.
        outputs: Number of its labels.
    """

    network: Architecture | Chain
    tensors: Mapping[str, Float32Array]
    activation: str = "softmax"

    @property
    def outputs(self) -> int:
        """Number of its labels."""
        return self.network.num_labels


def embedding_of(file: KerasFile) -> KerasLayer:
    """The embedding, which is the first layer.

    Args:
        file: What was read from the file.

    Raises:
        BundleError: The first layer is another one, or has no table.
    """
    layers = [layer for layer in file.layers if layer.kind not in _TRAINING_ONLY]
    if not layers or layers[0].kind != "Embedding" or not layers[0].weights:
        kind = layers[0].kind if layers else "none"
        raise unfit(f"its first layer is {kind}, not Embedding")
    if layers[0].weights[0].ndim != 2:
        raise unfit("its embedding is no table")
    return layers[0]


def read_layers(
    file: KerasFile,
    table: Float32Array,
    *,
    padding: Side,
    max_sequence_length: int,
    order: Sequence[int] | None = None,
) -> ImportedNetwork:
    """Read a network.

    Args:
        file: What was read from the file.
        table: The embedding table of the bundle, whose rows are the bundle's tokens. Shape
            `(tokens, dimensions)`.
        padding: On which side texts were padded.
        max_sequence_length: To how many tokens texts were padded and cut.
        order: For each label the number of its output; None if they are in the outputs' order.

    Raises:
        BundleError: A layer cannot be reproduced.
    """
    embedding = embedding_of(file)
    layers = [layer for layer in file.layers if layer.kind not in _TRAINING_ONLY][1:]
    read: list[Read] = []
    for layer in layers:
        read += read_layer(layer, sequence=_reads_sequence(read), version=file.keras_version)
    read, activation = _with_logits(read)
    if order is not None:
        last, arrays = read[-1]
        if sorted(order) != [*range(last.units)]:
            raise unfit(f"it has outputs for {last.units} labels, and {len(order)} are named")
        read[-1] = (last, {name: array[..., list(order)] for name, array in arrays.items()})
    chain = Chain(
        vocabulary_size=len(table),
        embedding_dim=table.shape[1],
        mask_zero=bool(embedding.config.get("mask_zero", False)),
        padding=padding,
        layers=tuple(layer for layer, _ in read),
        num_labels=read[-1][0].units,
        max_sequence_length=max_sequence_length,
    )
    tensors = {"embedding": np.asarray(table, np.float32)}
    for number, (_, arrays) in enumerate(read):
        tensors |= {f"{number}.{name}": array for name, array in arrays.items()}
    _check_shapes(chain, tensors)
    network, tensors = as_architecture(chain, tensors) or (chain, tensors)
    return ImportedNetwork(network=network, tensors=tensors, activation=activation)


def _reads_sequence(read: Sequence[tuple[ChainLayer, object]]) -> bool:
    """Whether the output of the layers so far has steps."""
    for layer, _ in reversed(read):
        if layer.kind in ("gru", "lstm"):
            return layer.sequence
        if layer.kind in ("max", "mean", "flatten"):
            return False
    return True


def _check_shapes(chain: Chain, tensors: Mapping[str, Float32Array]) -> None:
    for name, shape in chain.tensor_shapes().items():
        if tensors[name].shape != shape:
            raise unfit(
                f"the weights of layer {name} have the shape {tensors[name].shape}, not {shape}"
            )
        if not np.isfinite(tensors[name]).all():
            raise unfit(f"the weights of layer {name} hold NaN or infinity")


def _with_logits(read: list[Read]) -> tuple[list[Read], str]:
    """Let the last layer give logits: take off its softmax, and make two labels of one output.

    The activation that was taken off comes with the layers.
    """
    last = "linear"
    if read and isinstance(found := read[-1][0], OpenLayer):
        last = found.given
        read = read[:-1]
    if not read or read[-1][0].kind != "dense":
        raise unfit("its last layer is not Dense")
    layer, tensors = read[-1]
    if last not in (("sigmoid", "linear") if layer.units == 1 else ("softmax", "linear")):
        raise unfit(f"its last layer has {layer.units} outputs and the activation {last:.40}")
    if layer.units == 1:
        # The output is the logit of the second label. The logit of the first label is 0.
        two = {n: np.concatenate([np.zeros_like(a), a], axis=-1) for n, a in tensors.items()}
        read[-1] = (replace(layer, units=2), two)
    closed: list[Read] = []
    for one, arrays in read:
        if isinstance(one, OpenLayer):
            if one.given not in get_args(Activation):
                raise unfit(f"it has the activation {one.given:.40} before its last layer")
            one = ChainLayer(kind="activation", activation=kind_of(one.given))
        closed.append((one, arrays))
    return closed, last
