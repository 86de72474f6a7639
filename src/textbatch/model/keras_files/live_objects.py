"""Keras objects in memory, read as the files that they could be saved to."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from textbatch.data.strict_json import parse_json
from textbatch.errors import BundleError
from textbatch.model.keras_files.keras_layers import KerasFile, file_of
from textbatch.model.keras_files.layer_chain import chain_of, is_model
from textbatch.model.keras_files.tokenizer_file import KerasTokenizer, checked_tokenizer
from textbatch.model.keras_files.vectorization import KIND, KerasVectorization, read_vectorization
from textbatch.types import Float32Array

_NAME = "the network"
#: The packages that Keras is in.
_PACKAGES = ("keras", "tf_keras", "tensorflow")


def read_live_network(network: Any) -> KerasFile:  # noqa: ANN401 - Keras has no types
    """Read layers and weights of a network in memory.

    Args:
        network: A model of Keras 2 or 3.

    Raises:
        BundleError: It is no model, has no weights yet, or is something else than a chain of
            layers.
    """
    try:
        config = parse_json(network.to_json())
        version = config.get("keras_version") or _version_of(network)
    except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
        raise BundleError(
            f"{_NAME} is a {type(network).__name__:.60} without a config of its layers",
            "give a Sequential or a Functional model of Keras",
        ) from error
    layers = chain_of(config, _NAME)
    if not network.built:
        raise BundleError(
            f"{_NAME} has no weights yet", "call it once on token ids, or give its Input"
        )
    placed = list(_with_layers(network, layers))
    vectorization = None
    for layer, live in placed:
        if layer["class_name"] == KIND:
            vectorization = read_live_vectorization(live)
        if layer["class_name"] != "InputLayer":
            break
    return file_of(
        [layer for layer, _ in placed],
        [_arrays(live) for _, live in placed],
        str(version),
        vectorization,
    )


def _version_of(network: Any) -> str:  # noqa: ANN401
    for kind in type(network).__mro__:
        package = sys.modules.get(kind.__module__.partition(".")[0])
        if package and package.__name__ in _PACKAGES:
            return str(getattr(package, "__version__", ""))
    return ""


def _with_layers(
    network: Any,  # noqa: ANN401
    layers: list[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """What Keras writes of each layer, and the layer; those of inner models one by one."""
    by_name = {layer.name: layer for layer in network.layers}
    for layer in layers:
        live = by_name.get(str(layer["config"].get("name")))
        if not is_model(layer):
            yield layer, live
            continue
        for inner, one in _with_layers(live, chain_of(layer, _NAME)):
            if inner["class_name"] != "InputLayer":
                yield inner, one


def _arrays(layer: Any) -> list[Float32Array]:  # noqa: ANN401
    if layer is None or type(layer).__name__ in ("InputLayer", KIND):
        return []
    return [np.asarray(array, np.float32) for array in layer.get_weights()]


def read_live_vectorization(layer: Any) -> KerasVectorization:  # noqa: ANN401
    """Read a `TextVectorization` layer in memory.

    Args:
        layer: The layer, adapted to texts or with its vocabulary set.

    Raises:
        BundleError: It gives something else than token ids, or splits texts by code.
    """
    return read_vectorization(
        layer.get_config(), [str(word) for word in layer.get_vocabulary()], "the tokenizer"
    )


def read_live_tokenizer(tokenizer: Any) -> KerasTokenizer | KerasVectorization:  # noqa: ANN401
    """Read a tokenizer in memory.

    Args:
        tokenizer: A `Tokenizer` or a `TextVectorization` layer of Keras.

    Raises:
        BundleError: It is something else, or cannot be reproduced.
    """
    if hasattr(tokenizer, "get_vocabulary") and hasattr(tokenizer, "get_config"):
        return read_live_vectorization(tokenizer)
    if not hasattr(tokenizer, "word_index"):
        raise BundleError(
            f"the tokenizer is a {type(tokenizer).__name__:.60}",
            "give a Tokenizer or a TextVectorization layer of Keras, or the path of its file",
        )
    return checked_tokenizer("the tokenizer", _numbers_plain(vars(tokenizer)))


def _numbers_plain(state: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes, with numbers of NumPy as plain ones."""
    plain = {key: one.item() if isinstance(one, np.generic) else one for key, one in state.items()}
    if isinstance(words := plain.get("word_index"), Mapping):
        plain["word_index"] = {
            word: index.item() if isinstance(index, np.generic) else index
            for word, index in words.items()
        }
    return plain
