"""The network in Keras: masked embedding → GRU → LSTM → dense, and its weights both ways."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from textbatch.batch import Float32Array
from textbatch.model.architecture import Architecture
from textbatch.model.settings import Dropout


def build_network(
    architecture: Architecture, *, dropout: Dropout | None = None, train_embedding: bool = False
) -> keras.Model:
    """Build the network, untrained.

    It takes token ids of shape `(batch, sequence_length)`, padded on the right with 0, which
    the mask hides from every later layer, and gives logits of shape `(batch, labels)`; the
    softmax stands in the loss, and in scoring after the temperature.

    Args:
        architecture: Sizes and the GRU's variant.
        dropout: For training only; None drops nothing.
        train_embedding: Whether fitting moves the word vectors.
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
    x = layers.GRU(
        architecture.gru_units,
        return_sequences=True,
        reset_after=architecture.reset_after,
        name="gru",
    )(x)
    if dropout.between:
        x = layers.Dropout(dropout.between, name="dropout")(x)
    x = layers.LSTM(architecture.lstm_units, dropout=dropout.lstm_input, name="lstm")(x)
    x = layers.Dense(architecture.dense_units, activation="relu", name="dense")(x)
    logits = layers.Dense(architecture.num_labels, name="logits")(x)
    return keras.Model(token_ids, logits, name="textbatch")


def read_tensors(network: keras.Model, architecture: Architecture) -> dict[str, Float32Array]:
    """Take the weights out of a network, in the bundle's layout."""
    get = {layer.name: layer.get_weights() for layer in network.layers}
    gru, lstm = get["gru"], get["lstm"]
    gru_bias = gru[2].reshape(-1)
    if not architecture.reset_after:
        # This variant has no recurrent bias.
        gru_bias = np.concatenate([gru_bias, np.zeros_like(gru_bias)])
    lstm_bias = _swap_gates(lstm[2], _KERAS_TO_ONNX)
    return {
        "embedding": get["embedding"][0],
        "gru.W": gru[0].T[None],
        "gru.R": gru[1].T[None],
        "gru.B": gru_bias[None],
        "lstm.W": _swap_gates(lstm[0], _KERAS_TO_ONNX).T[None],
        "lstm.R": _swap_gates(lstm[1], _KERAS_TO_ONNX).T[None],
        "lstm.B": np.concatenate([lstm_bias, np.zeros_like(lstm_bias)])[None],
        "dense.W": get["dense"][0],
        "dense.B": get["dense"][1],
        "logits.W": get["logits"][0],
        "logits.B": get["logits"][1],
    }


def write_tensors(
    network: keras.Model, architecture: Architecture, tensors: Mapping[str, Float32Array]
) -> None:
    """Put weights in the bundle's layout into a network."""
    input_bias, recurrent_bias = np.split(tensors["gru.B"][0], 2)
    gru_bias = np.stack([input_bias, recurrent_bias]) if architecture.reset_after else input_bias
    lstm_bias = np.add(*np.split(tensors["lstm.B"][0], 2))
    values = {
        "embedding": [tensors["embedding"]],
        "gru": [tensors["gru.W"][0].T, tensors["gru.R"][0].T, gru_bias],
        "lstm": [
            _swap_gates(tensors["lstm.W"][0].T, _ONNX_TO_KERAS),
            _swap_gates(tensors["lstm.R"][0].T, _ONNX_TO_KERAS),
            _swap_gates(lstm_bias, _ONNX_TO_KERAS),
        ],
        "dense": [tensors["dense.W"], tensors["dense.B"]],
        "logits": [tensors["logits.W"], tensors["logits.B"]],
    }
    for name, arrays in values.items():
        network.get_layer(name).set_weights(arrays)


#: Keras stacks the LSTM's gates as input, forget, cell, output; ONNX as i, o, f, c.
_KERAS_TO_ONNX, _ONNX_TO_KERAS = (0, 3, 1, 2), (0, 2, 3, 1)


def _swap_gates(stacked: Float32Array, order: tuple[int, ...]) -> Float32Array:
    gates = np.split(stacked, 4, axis=-1)
    return np.concatenate([gates[index] for index in order], axis=-1)
