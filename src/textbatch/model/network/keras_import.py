"""Turns a Keras network that was made elsewhere into the architecture and weights of a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from textbatch.errors import UsageError
from textbatch.model.network.architecture import Architecture, RecurrentLayer
from textbatch.model.network.keras_network import build_network, read_tensors
from textbatch.model.network.weights import Weights
from textbatch.types import Float32Array, Int32Array

#: Layers that do nothing after training.
_TRAINING_ONLY = (
    "Dropout", "GaussianDropout", "GaussianNoise", "InputLayer", "SpatialDropout1D",
)  # fmt: skip
_CHAIN = "Embedding → GRU or LSTM layers → mean pooling or none → Dense with ReLU or none → Dense"
#: Settings of the cells that the engines compute.
_CELL = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "go_backwards": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignNetwork:
    """What was read from a Keras network.

    Attributes:
        architecture: Its architecture.
        weights: Its weights, in the layout of the bundle.
    """

    architecture: Architecture
    weights: Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chain:
    """The layers of a network, by their use."""

    embedding: Any
    recurrent: list[Any]
    pooling: str
    hidden: Any | None
    output: Any


def read_network(
    network: keras.Model,
    *,
    vocabulary_size: int,
    outputs: Sequence[int],
    max_sequence_length: int,
) -> ForeignNetwork:
    """Read architecture and weights of a network.

    Args:
        network: A chain of layers: a masked embedding; recurrent layers, all bidirectional or none;
            mean pooling or the last state; dense layers. It takes token ids that are padded on the
            right, and gives logits or probabilities.
        vocabulary_size: Number of tokens. The embedding may have more rows.
        outputs: For each label of the bundle, the number of its output. Shape `(labels,)`.
        max_sequence_length: Longer texts will be cut to this many tokens.

    Raises:
        UsageError: It is not such a network, or its sizes do not fit vocabulary and labels.
    """
    chain = _chain_of(network)
    _check_embedding(chain.embedding, vocabulary_size)
    ways = [_one_way(layer) for layer in chain.recurrent]
    bidirectional = {layer is not inner for layer, inner in zip(chain.recurrent, ways, strict=True)}
    reset_after = {bool(way.reset_after) for way in ways if _kind(way) == "GRU"}
    if len(bidirectional) > 1 or len(reset_after) > 1:
        raise _unfit(
            "its recurrent layers differ in `reset_after`, or in whether they read both ways"
        )
    dense, logits = _dense_layers(chain, outputs)
    architecture = Architecture(
        vocabulary_size=vocabulary_size,
        embedding_dim=chain.embedding.output_dim,
        layers=tuple(RecurrentLayer(cell=_kind(way).lower(), units=way.units) for way in ways),
        bidirectional=bidirectional.pop(),
        pooling=chain.pooling,
        dense_units=dense[0].shape[1],
        num_labels=len(outputs),
        max_sequence_length=max_sequence_length,
        reset_after=reset_after.pop() if reset_after else True,
    )
    ours = build_network(architecture)
    table = np.asarray(chain.embedding.get_weights()[0], np.float32)
    ours.get_layer("embedding").set_weights([table[:vocabulary_size]])
    for place, layer in zip(architecture.stack(), chain.recurrent, strict=True):
        ours.get_layer(place.name).set_weights(layer.get_weights())
    ours.get_layer("dense").set_weights(dense)
    ours.get_layer("logits").set_weights(logits)
    weights = Weights.pack(read_tensors(ours, architecture), architecture)
    return ForeignNetwork(architecture=architecture, weights=weights)


def predict(network: keras.Model, token_ids: Int32Array, outputs: Sequence[int]) -> Float32Array:
    """Compute probabilities with the network itself.

    Args:
        network: A network that `read_network` accepts.
        token_ids: Token ids, padded on the right with 0. Shape `(rows, max_sequence_length)`.
        outputs: For each label, the number of its output. Shape `(labels,)`.

    Returns:
        Probabilities. Shape `(rows, labels)`.
    """
    found = np.asarray(network.predict(token_ids, batch_size=64, verbose=0), np.float64)
    activation = _activation(_chain_of(network).output)
    if activation == "sigmoid":
        found = np.concatenate([1 - found, found], axis=1)
    elif activation == "linear":
        if found.shape[1] == 1:
            found = np.concatenate([np.zeros_like(found), found], axis=1)
        found = np.exp(found - found.max(axis=1, keepdims=True))
        found /= found.sum(axis=1, keepdims=True)
    return found[:, list(outputs)].astype(np.float32)


def _chain_of(network: keras.Model) -> _Chain:
    layers = [layer for layer in network.layers if _kind(layer) not in _TRAINING_ONLY]
    kinds = [_kind(layer) for layer in layers]
    recurrent = [
        place for place, kind in enumerate(kinds) if kind in ("GRU", "LSTM", "Bidirectional")
    ]
    if "GlobalMaxPooling1D" in kinds:
        raise _unfit("GlobalMaxPooling1D takes its maximum over padding too")
    if not recurrent or kinds[0] != "Embedding" or recurrent != list(range(1, len(recurrent) + 1)):
        raise _unfit(f"its layers are {', '.join(kinds)}")
    rest, pooling = layers[1 + len(recurrent) :], "last"
    if rest and _kind(rest[0]) == "GlobalAveragePooling1D":
        rest, pooling = rest[1:], "mean"
    if not 1 <= len(rest) <= 2 or any(_kind(layer) != "Dense" for layer in rest):
        raise _unfit(f"its layers are {', '.join(kinds)}")
    *hidden, output = rest
    if hidden and _activation(hidden[0]) != "relu":
        raise _unfit(f"its hidden Dense layer has the activation {_activation(hidden[0])}")
    return _Chain(
        embedding=layers[0],
        recurrent=layers[1 : 1 + len(recurrent)],
        pooling=pooling,
        hidden=hidden[0] if hidden else None,
        output=output,
    )


def _check_embedding(embedding: Any, vocabulary_size: int) -> None:  # noqa: ANN401 - Keras has no types
    if not embedding.mask_zero:
        raise _unfit("without `mask_zero=True` its answers depend on how far a text is padded")
    if embedding.input_dim < vocabulary_size:
        raise UsageError(
            f"the vocabulary has {vocabulary_size:,} tokens, the embedding {embedding.input_dim:,} "
            "rows",
            "give the vocabulary that the network was trained with",
        )


def _one_way(layer: Any) -> Any:  # noqa: ANN401
    """A recurrent layer, or the forward half of a bidirectional one."""
    inner = layer
    if _kind(layer) == "Bidirectional":
        inner = layer.forward_layer
        if layer.merge_mode != "concat" or _kind(inner) not in ("GRU", "LSTM"):
            raise _unfit("its Bidirectional layer does not concatenate two GRUs or two LSTMs")
    settings = inner.get_config()
    for name, value in _CELL.items():
        if settings[name] != value:
            raise _unfit(f"its layer {layer.name} has {name}={settings[name]!r}")
    return inner


def _dense_layers(
    chain: _Chain, outputs: Sequence[int]
) -> tuple[list[Float32Array], list[Float32Array]]:
    """Kernel and bias of the hidden layer, and of the logits in the order of the labels."""
    kernel, bias = _kernel_and_bias(chain.output)
    activation, width = _activation(chain.output), kernel.shape[1]
    if activation not in (("sigmoid", "linear") if width == 1 else ("softmax", "linear")):
        raise _unfit(f"its last layer has {width} outputs and the activation {activation}")
    if width == 1:
        # The output is the logit of the second label. The logit of the first label is 0.
        kernel, bias = (np.concatenate([np.zeros_like(a), a], axis=-1) for a in (kernel, bias))
    if sorted(outputs) != list(range(kernel.shape[1])):
        raise UsageError(
            f"the network has outputs for {kernel.shape[1]} labels, and {len(outputs)} are named",
            "name each output's label, in order",
        )
    logits = [kernel[:, list(outputs)], bias[list(outputs)]]
    if chain.hidden is not None:
        return list(_kernel_and_bias(chain.hidden)), logits
    # Without a hidden layer, make one that changes nothing: x = relu(x) - relu(-x).
    through = np.eye(len(kernel), dtype=np.float32)
    hidden = [np.concatenate([through, -through], axis=1), np.zeros(2 * len(kernel), np.float32)]
    return hidden, [np.concatenate([logits[0], -logits[0]]), logits[1]]


def _kernel_and_bias(layer: Any) -> tuple[Float32Array, Float32Array]:  # noqa: ANN401
    kernel, *bias = (np.asarray(array, np.float32) for array in layer.get_weights())
    return kernel, bias[0] if bias else np.zeros(kernel.shape[1], np.float32)


def _activation(layer: Any) -> str:  # noqa: ANN401
    return str(layer.get_config()["activation"])


def _kind(layer: Any) -> str:  # noqa: ANN401
    return type(layer).__name__


def _unfit(why: str) -> UsageError:
    return UsageError(f"not a network that textbatch can score: {why}", f"build it as {_CHAIN}")
