"""The network in Keras: masked embedding → recurrent → pooling → dense.

Its weights are read from it and written into it in the layout of the bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from textbatch.model.network.architecture import Architecture, Dropout, StackedLayer
from textbatch.types import Float32Array

#: A number below every state of a GRU or an LSTM, which are in [-1, 1].
_BELOW_STATES = -2.0


class MaskedPooling(keras.layers.Layer):  # type: ignore[misc]
    """Mean or maximum over the real tokens. Keras's own maximum ignores the mask.

    Input: states of shape `(batch, sequence_length, width)`. Output: shape `(batch, width)`.

    Args:
        kind: `mean` or `max`.
        name: Name of the layer.
    """

    def __init__(self, kind: str, *, name: str) -> None:
        super().__init__(name=name)
        self.supports_masking = True
        self._kind = kind

    def call(self, states: Any, mask: Any = None) -> Any:  # noqa: ANN401 - a tensor of any backend
        """Pool over the axis of time.

        Args:
            states: Shape `(batch, sequence_length, width)`.
            mask: True for real tokens. Shape `(batch, sequence_length)`.
        """
        real = keras.ops.expand_dims(mask, -1)
        if self._kind == "max":
            return keras.ops.max(keras.ops.where(real, states, _BELOW_STATES), axis=1)
        real = keras.ops.cast(real, states.dtype)
        return keras.ops.sum(states * real, axis=1) / keras.ops.sum(real, axis=1)

    def compute_mask(self, states: Any, mask: Any) -> None:  # noqa: ANN401
        """Return no mask: the output has no axis of time.

        Args:
            states: Shape `(batch, sequence_length, width)`.
            mask: True for real tokens. Shape `(batch, sequence_length)`.
        """


def build_network(
    architecture: Architecture, *, dropout: Dropout | None = None, train_embedding: bool = False
) -> keras.Model:
    """Build the network, untrained.

    It takes token ids of shape `(batch, sequence_length)`, padded on the right with 0. The mask
    hides the padding from every later layer. It gives logits of shape `(batch, labels)`. The
    softmax is part of the loss; in scoring it comes after the temperature.

    Args:
        architecture: Sizes, cells and pooling.
        dropout: Dropout for training; None drops nothing.
        train_embedding: Whether fitting changes the word vectors.
    """
    dropout = dropout or Dropout()
    layers = keras.layers
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    embedding = layers.Embedding(
        architecture.vocabulary_size,
        architecture.embedding_dim,
        mask_zero=True,
        trainable=train_embedding,
        name="embedding",
    )
    x = embedding(token_ids)
    if dropout.channels:
        x = layers.SpatialDropout1D(dropout.channels, name="channel_dropout")(x)
    *lower, top = architecture.stack()
    for number, layer in enumerate(lower):
        x = _recurrent(architecture, layer, sequence=True)(x)
        if dropout.between:
            x = layers.Dropout(dropout.between, name=f"dropout{number or ''}")(x)
    x = _pooled(architecture, top, x, dropout.last_input)
    if dropout.pooled:
        x = layers.Dropout(dropout.pooled, name="pooled_dropout")(x)
    x = layers.Dense(architecture.dense_units, activation="relu", name="dense")(x)
    logits = layers.Dense(architecture.num_labels, name="logits")(x)
    return keras.Model(token_ids, logits, name="textbatch")


def _recurrent(
    architecture: Architecture,
    layer: StackedLayer,
    *,
    sequence: bool,
    state: bool = False,
    dropout: float = 0.0,
) -> keras.layers.Layer:
    """Make a layer that gives its states at every token, its state at the end, or both."""
    settings: dict[str, Any] = {
        "return_sequences": sequence,
        "return_state": state,
        "dropout": dropout,
        "name": layer.name,
    }
    if layer.cell == "lstm":
        one_way = keras.layers.LSTM(layer.units, **settings)
    else:
        one_way = keras.layers.GRU(layer.units, reset_after=architecture.reset_after, **settings)
    if not architecture.bidirectional:
        return one_way
    return keras.layers.Bidirectional(one_way, name=layer.name)


def _pooled(architecture: Architecture, top: StackedLayer, x: Any, dropout: float) -> Any:  # noqa: ANN401
    """Add the last recurrent layer and the pooling of its states."""
    if architecture.poolings == ("last",):
        return _recurrent(architecture, top, sequence=False, dropout=dropout)(x)
    # The state at the end cannot be read from the sequence of states: after the end of a row, the
    # CPU repeats the last state, but a GPU gives zeros.
    layer = _recurrent(architecture, top, sequence=True, state=True, dropout=dropout)
    states, *ends = layer(x)
    if top.cell == "lstm":
        ends = ends[::2]  # after each comes the state of the cell
    parts: list[Any] = []
    for kind in architecture.poolings:
        parts += ends if kind == "last" else [MaskedPooling(kind, name=kind)(states)]
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="pooling")(parts)


def read_tensors(network: keras.Model, architecture: Architecture) -> dict[str, Float32Array]:
    """Read the weights of a network, in the layout of the bundle.

    Args:
        network: From `build_network`.
        architecture: Its architecture.

    Returns:
        Tensors by name, with the shapes of `Architecture.tensor_shapes`.
    """
    get = {layer.name: layer.get_weights() for layer in network.layers}
    tensors = {"embedding": get["embedding"][0]}
    for layer in architecture.stack():
        # Three arrays for each direction: input kernel, recurrent kernel, bias.
        arrays = get[layer.name]
        ways = [
            _to_onnx(layer.cell, *arrays[start : start + 3]) for start in range(0, len(arrays), 3)
        ]
        for part, values in zip("WRB", zip(*ways, strict=True), strict=True):
            tensors[f"{layer.name}.{part}"] = np.stack(values)
    for name in ("dense", "logits"):
        tensors[f"{name}.W"], tensors[f"{name}.B"] = get[name]
    return tensors


def write_tensors(
    network: keras.Model, architecture: Architecture, tensors: Mapping[str, Float32Array]
) -> None:
    """Write weights in the layout of the bundle into a network.

    Args:
        network: From `build_network`.
        architecture: Its architecture.
        tensors: Tensors by name, with the shapes of `Architecture.tensor_shapes`.
    """
    network.get_layer("embedding").set_weights([tensors["embedding"]])
    for layer in architecture.stack():
        arrays: list[Float32Array] = []
        for kernel, recurrent, bias in zip(
            *(tensors[f"{layer.name}.{part}"] for part in "WRB"), strict=True
        ):
            arrays += _to_keras(
                layer.cell, kernel, recurrent, bias, reset_after=architecture.reset_after
            )
        network.get_layer(layer.name).set_weights(arrays)
    for name in ("dense", "logits"):
        network.get_layer(name).set_weights([tensors[f"{name}.W"], tensors[f"{name}.B"]])


#: Keras stacks the gates of an LSTM as input, forget, cell, output; ONNX as i, o, f, c.
_KERAS_TO_ONNX, _ONNX_TO_KERAS = (0, 3, 1, 2), (0, 2, 3, 1)


def _to_onnx(
    cell: str, kernel: Float32Array, recurrent: Float32Array, bias: Float32Array
) -> tuple[Float32Array, Float32Array, Float32Array]:
    if cell == "lstm":
        kernel, recurrent, bias = (
            _swap_gates(array, _KERAS_TO_ONNX) for array in (kernel, recurrent, bias)
        )
    bias = bias.reshape(-1)
    if len(bias) == kernel.shape[1]:
        # The LSTM, and the GRU without `reset_after`, have no recurrent bias in Keras.
        bias = np.concatenate([bias, np.zeros_like(bias)])
    return kernel.T, recurrent.T, bias


def _to_keras(
    cell: str,
    kernel: Float32Array,
    recurrent: Float32Array,
    bias: Float32Array,
    *,
    reset_after: bool,
) -> list[Float32Array]:
    input_bias, recurrent_bias = np.split(bias, 2)
    if cell == "lstm":
        arrays = (kernel.T, recurrent.T, input_bias + recurrent_bias)
        return [_swap_gates(array, _ONNX_TO_KERAS) for array in arrays]
    both = np.stack([input_bias, recurrent_bias])
    return [kernel.T, recurrent.T, both if reset_after else input_bias]


def _swap_gates(stacked: Float32Array, order: tuple[int, ...]) -> Float32Array:
    gates = np.split(stacked, 4, axis=-1)
    return np.concatenate([gates[index] for index in order], axis=-1)
