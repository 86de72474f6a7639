"""What was read of a Keras network: its layers with their weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textbatch.model.keras_files.vectorization import KerasVectorization
from textbatch.types import Float32Array


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasLayer:
    """A layer as Keras wrote it.

    Attributes:
        kind: Its class.
        name: Its name.
        config: Its config.
        weights: Its weights, in the order of `get_weights`.
    """

    kind: str
    name: str
    config: Mapping[str, Any]
    weights: tuple[Float32Array, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasFile:
    """What was read from a file, or from a network in memory.

    Attributes:
        layers: The layers, in the order in which they compute, without a `TextVectorization`.
        input_length: Tokens of a text, if the model says it.
        keras_version: The version of Keras that wrote it; empty if it does not say.
        vectorization: The `TextVectorization` layer that the network begins with, if it does.
    """

    layers: tuple[KerasLayer, ...]
    input_length: int | None
    keras_version: str
    vectorization: KerasVectorization | None = None


def file_of(
    layers: Sequence[Mapping[str, Any]],
    arrays: Sequence[Sequence[Float32Array]],
    version: str,
    vectorization: KerasVectorization | None = None,
) -> KerasFile:
    """Put together what was read.

    Args:
        layers: What Keras wrote of each layer.
        arrays: The weights of each layer.
        version: Of Keras.
        vectorization: The first layer, where it is a `TextVectorization`.
    """
    read = [
        KerasLayer(
            kind=layer["class_name"],
            name=str(layer["config"].get("name", ""))[:100],
            config=layer["config"],
            weights=tuple(found),
        )
        for layer, found in zip(layers, arrays, strict=True)
    ]
    if vectorization:
        read = [layer for layer in read if layer.kind != "TextVectorization"]
    return KerasFile(
        layers=tuple(read),
        input_length=vectorization.length if vectorization else _input_length(layers),
        keras_version=version if re.fullmatch(r"[0-9A-Za-z.+-]{1,40}", version) else "",
        vectorization=vectorization,
    )


def _input_length(layers: Sequence[Mapping[str, Any]]) -> int | None:
    for layer in layers[:2]:
        config = layer["config"]
        for key in ("batch_shape", "batch_input_shape"):
            match config.get(key):
                case [_, int(length)]:
                    return length
        match config.get("input_length"):
            case int(length):
                return length
    return None
