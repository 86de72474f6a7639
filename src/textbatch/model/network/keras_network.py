"""The network in Keras: masked embedding → recurrent → pooling → dense.

Its weights are read from it and written into it in the layout of the bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from textbatch.model.network.architecture import Architecture, Dropout, StackedLayer
from textbatch.text.vocabulary import PAD_ID
from textbatch.types import Float32Array

#: A number below every state of a GRU or an LSTM, which are in [-1, 1].
_BELOW_STATES = -2.0


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
    real = keras.ops.not_equal(token_ids, PAD_ID)
    x = _pooled(architecture, top, x, real, dropout.last_input)
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


def _pooled(
    architecture: Architecture,
    top: StackedLayer,
    x: Any,  # noqa: ANN401 - a tensor of any backend
    real: Any,  # noqa: ANN401
    dropout: float,
) -> Any:  # noqa: ANN401
    """Add the last recurrent layer and the pooling of its states; `real` tells the real tokens."""
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
        parts += ends if kind == "last" else [_over_tokens(kind, states, real)]
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="pooling")(parts)


def _over_tokens(kind: str, states: Any, real: Any) -> Any:  # noqa: ANN401
    """Mean or maximum over the real tokens. Keras's own maximum ignores the mask.

    These are operations, not a layer of our own, so that Keras can load the network without us.
    """
    real = keras.ops.expand_dims(real, -1)
    if kind == "max":
        return keras.ops.max(keras.ops.where(real, states, _BELOW_STATES), axis=1)
    real = keras.ops.cast(real, states.dtype)
    total = keras.ops.sum(keras.ops.multiply(states, real), axis=1)
    return keras.ops.divide(total, keras.ops.sum(real, axis=1))


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
            arrays += to_keras(
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


def to_keras(
    cell: str,
    kernel: Float32Array,
    recurrent: Float32Array,
    bias: Float32Array,
    *,
    reset_after: bool,
) -> list[Float32Array]:
    """The weights of one direction of a recurrent layer as Keras has them.

    Args:
        cell: `gru` or `lstm`.
        kernel: `W` of the bundle. Shape `(gates, inputs)`.
        recurrent: `R` of the bundle. Shape `(gates, units)`.
        bias: `B` of the bundle. Shape `(2 × gates,)`.
        reset_after: The GRU variant.
    """
    input_bias, recurrent_bias = np.split(bias, 2)
    if cell == "lstm":
        arrays = (kernel.T, recurrent.T, input_bias + recurrent_bias)
        return [_swap_gates(array, _ONNX_TO_KERAS) for array in arrays]
    both = np.stack([input_bias, recurrent_bias])
    return [kernel.T, recurrent.T, both if reset_after else input_bias]


def _swap_gates(stacked: Float32Array, order: tuple[int, ...]) -> Float32Array:
    gates = np.split(stacked, 4, axis=-1)
    return np.concatenate([gates[index] for index in order], axis=-1)
