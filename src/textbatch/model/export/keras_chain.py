"""A chain of layers as a Keras network, with the layers that Keras has.

What was made with Keras becomes Keras again. Its ids are those of the bundle: 0 is padding, 1
is for unknown words, then come the words.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from textbatch.errors import ConflictError
from textbatch.model.network.chain import Chain, ChainLayer, PlacedLayer
from textbatch.model.network.keras_network import to_keras
from textbatch.types import Float32Array

#: The gates' activations by their names in Keras 3.
_GATES = {"sigmoid": "sigmoid", "hard_sigmoid_3": "hard_sigmoid"}


def build_chain_network(chain: Chain, tensors: Mapping[str, Float32Array]) -> keras.Model:
    """Build the network with its weights.

    It takes token ids of shape `(batch, max_sequence_length)`, padded as the chain says, and gives
    logits of shape `(batch, labels)`.

    Args:
        chain: The network.
        tensors: Its weights, by the names of `Chain.tensor_shapes`.

    Raises:
        ConflictError: Keras 3 has no such layer.
    """
    with warnings.catch_warnings():
        # That some layers drop the mask is what these networks were trained with.
        warnings.filterwarnings("ignore", message=".*does not support masking.*")
        return _build(chain, tensors)


def _build(chain: Chain, tensors: Mapping[str, Float32Array]) -> keras.Model:
    repeats = any(
        placed.masked and placed.layer.merge and placed.layer.sequence and not placed.layer.zeros
        for placed in chain.placed()
    )
    if repeats and chain.computes_padding:
        raise ConflictError(
            "the model repeats states in the padding of a Bidirectional layer; Keras 3 never does",
            "give --format onnx",
        )
    token_ids = keras.Input((chain.max_sequence_length,), dtype="int32", name="token_ids")
    embedding = keras.layers.Embedding(
        chain.vocabulary_size, chain.embedding_dim, mask_zero=chain.mask_zero, name="embedding"
    )
    x = embedding(token_ids)
    embedding.set_weights([tensors["embedding"]])
    for placed in chain.placed():
        layer = _layer(placed)
        x = layer(x)
        if arrays := _arrays(placed, tensors):
            layer.set_weights(arrays)
    return keras.Model(token_ids, x, name="textbatch")


def _layer(placed: PlacedLayer) -> Any:  # noqa: ANN401 - Keras has no types
    layer, layers = placed.layer, keras.layers
    if layer.kind in ("gru", "lstm"):
        return _recurrent(layer)
    if layer.kind == "conv1d":
        return layers.Conv1D(
            layer.units,
            layer.kernel,
            strides=layer.stride,
            dilation_rate=layer.dilation,
            padding=layer.border,
            activation=layer.activation,
        )
    if layer.kind == "dense":
        return layers.Dense(layer.units, activation=layer.activation)
    if layer.kind == "activation":
        return layers.Activation(layer.activation)
    if layer.kind == "scale":
        return layers.BatchNormalization(epsilon=0.0)
    return {
        "max": layers.GlobalMaxPooling1D,
        "mean": layers.GlobalAveragePooling1D,
        "flatten": layers.Flatten,
    }[layer.kind]()


def _recurrent(layer: ChainLayer) -> Any:  # noqa: ANN401
    if layer.gate not in _GATES:
        raise ConflictError(
            "the model has gates of Keras 2's `hard_sigmoid`, which Keras 3 does not have",
            "give --format onnx",
        )
    settings: dict[str, Any] = {
        "activation": layer.activation,
        "recurrent_activation": _GATES[layer.gate],
        "return_sequences": layer.sequence,
        "zero_output_for_mask": layer.zeros,
    }
    if layer.kind == "gru":
        one_way = keras.layers.GRU(layer.units, reset_after=layer.reset_after, **settings)
    else:
        one_way = keras.layers.LSTM(layer.units, **settings)
    if not layer.merge:
        return one_way
    return keras.layers.Bidirectional(one_way, merge_mode=layer.merge)


def _arrays(placed: PlacedLayer, tensors: Mapping[str, Float32Array]) -> list[Float32Array]:
    name, layer = placed.name, placed.layer
    if layer.kind in ("gru", "lstm"):
        arrays: list[Float32Array] = []
        ways = zip(*(tensors[f"{name}.{part}"] for part in "WRB"), strict=True)
        for kernel, recurrent, bias in ways:
            arrays += to_keras(layer.kind, kernel, recurrent, bias, reset_after=layer.reset_after)
        return arrays
    if layer.kind not in ("dense", "conv1d", "scale"):
        return []
    kernel, bias = tensors[f"{name}.W"], tensors[f"{name}.B"]
    if layer.kind == "conv1d":
        kernel = np.transpose(kernel, (2, 1, 0))
    if layer.kind == "scale":
        return [kernel, bias, np.zeros_like(bias), np.ones_like(bias)]
    return [kernel, bias]
