"""Files of Keras releases that no longer install: as those wrote them, by h5py and zipfile.

The form is that of files which Keras 2.12 to 2.14 and tf_keras have written.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

#: A layer: class, name, config, and its weights by the name that Keras 2 gave them.
Layer = tuple[str, str, dict[str, Any], dict[str, tuple[int, ...]]]

UNITS = 3
GRU = {"kernel": (4, 9), "recurrent_kernel": (3, 9), "bias": (2, 9)}
CELL = {"class_name": "GRU", "config": {"name": "gru", "units": UNITS, "return_sequences": True}}
CHAIN: tuple[Layer, ...] = (
    ("Embedding", "z_words", {"mask_zero": True, "input_length": 7}, {"embeddings": (20, 4)}),
    ("SpatialDropout1D", "y_dropout", {"rate": 0.1}, {}),
    (
        "Bidirectional",
        "x_both",
        {"layer": CELL, "merge_mode": "concat"},
        {
            f"{way}_gru/gru_cell/{name}": shape
            for way in ("forward", "backward")
            for name, shape in GRU.items()
        },
    ),
    (
        "LSTM",
        "w_lstm",
        {"units": 2},
        {
            "lstm_cell_7/kernel": (6, 8),
            "lstm_cell_7/recurrent_kernel": (2, 8),
            "lstm_cell_7/bias": (8,),
        },
    ),
    ("Dense", "b_first", {"units": 4, "activation": "relu"}, {"kernel": (2, 4), "bias": (4,)}),
    ("Dense", "a_last", {"units": 2}, {"kernel": (4, 2), "bias": (2,)}),
)


def arrays(layers: Sequence[Layer] = CHAIN) -> list[list[np.ndarray]]:
    """The weights of each layer; no two are alike."""
    random = np.random.default_rng(7)
    return [
        [random.normal(size=shape).astype(np.float32) for shape in weights.values()]
        for _, _, _, weights in layers
    ]


def config_of(
    layers: Sequence[Layer] = CHAIN, *, functional: bool = False, length: int | None = 7
) -> dict[str, Any]:
    """What Keras 2 writes of a model."""
    first = {"batch_input_shape": [None, length], "dtype": "float32", "name": "the_input"}
    written = [{"class_name": "InputLayer", "config": first}]
    for kind, name, config, _ in layers:
        inner = {"name": name, "trainable": True, "dtype": "float32", **config}
        written.append({"class_name": kind, "config": inner})
    if functional:
        before = None
        for layer in written:
            layer["name"] = layer["config"]["name"]
            layer["inbound_nodes"] = [[[before, 0, 0, {}]]] if before else []
            before = layer["name"]
    kind = "Functional" if functional else "Sequential"
    config = {"name": "model", "layers": written}
    if functional:
        config |= {"input_layers": [["the_input", 0, 0]], "output_layers": [[before, 0, 0]]}
    return {"class_name": kind, "config": config}


def write_h5(
    path: Path,
    layers: Sequence[Layer] = CHAIN,
    *,
    functional: bool = False,
    parts: int = 1,
    bytes_attributes: bool = False,
    version: str = "2.11.0",
) -> list[list[np.ndarray]]:
    """Write an `.h5` file of Keras 2.

    Args:
        path: Where.
        layers: The layers.
        functional: Whether it is a Functional model.
        parts: Into how many attributes the list of names is cut.
        bytes_attributes: Whether texts are byte strings, as old releases of h5py wrote them.
        version: Version of Keras.

    Returns:
        The weights of each layer.
    """
    made = arrays(layers)

    def text(value: str) -> Any:
        return np.bytes_(value.encode()) if bytes_attributes else value

    def texts(values: Sequence[str]) -> np.ndarray:
        if not values:
            return np.array([])
        return np.array([one.encode() for one in values])

    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = text(version)
        file.attrs["backend"] = text("tensorflow")
        file.attrs["model_config"] = text(json.dumps(config_of(layers, functional=functional)))
        root = file.create_group("model_weights")
        names = [name for _, name, _, _ in layers]
        listed = ["the_input", *names] if functional else names
        if parts == 1:
            root.attrs["layer_names"] = texts(listed)
        else:
            for part, some in enumerate(np.array_split(listed, parts)):
                root.attrs[f"layer_names{part}"] = texts([str(one) for one in some])
        for name in {*listed, "top_level_model_weights"} - set(names):
            root.create_group(name).attrs["weight_names"] = np.array([])
        for (_, name, _, weights), values in zip(layers, made, strict=True):
            group = root.create_group(name)
            group.attrs["weight_names"] = texts([f"{name}/{one}:0" for one in weights])
            for one, value in zip(weights, values, strict=True):
                group.create_dataset(f"{name}/{one}:0", data=value)
        file.create_group("optimizer_weights").create_dataset("iteration:0", data=np.int64(3))
    return made


def write_keras_2(
    path: Path,
    layers: Sequence[Layer] = CHAIN,
    *,
    functional: bool = False,
    windows: bool = False,
    version: str = "2.13.1",
) -> list[list[np.ndarray]]:
    """Write a `.keras` file of Keras 2.12 to 2.14.

    Args:
        path: Where.
        layers: The layers.
        functional: Whether it is a Functional model.
        windows: Whether it was saved on Windows.
        version: Version of Keras.

    Returns:
        The weights of each layer.
    """
    made, seen = arrays(layers), Counter[str]()
    content = io.BytesIO()
    separator = "\\" if windows else "/"
    with h5py.File(content, "w") as file:
        for (kind, _, _, weights), values in zip(layers, made, strict=True):
            snake = {"SpatialDropout1D": "spatial_dropout1d"}.get(kind, kind.lower())
            place = snake + (f"_{seen[snake]}" if seen[snake] else "")
            seen[snake] += 1
            for inner, some in _inner(kind, list(weights), values).items():
                parts = ["_layer_checkpoint_dependencies", place, *inner]
                group = file.create_group(separator.join(parts)).create_group("vars")
                for number, value in enumerate(some):
                    group.create_dataset(str(number), data=value)
        file.create_group("optimizer").create_group("vars").create_dataset("0", data=np.int64(3))
    metadata = {"keras_version": version, "date_saved": "2023-08-01@10:00:00"}
    write_zip(path, config_of(layers, functional=functional), metadata, content.getvalue())
    return made


def _inner(
    kind: str, names: Sequence[str], values: Sequence[np.ndarray]
) -> Mapping[tuple[str, ...], Sequence[np.ndarray]]:
    if kind == "Bidirectional":
        half = len(names) // 2
        return {
            (): [],
            ("backward_layer",): [],
            ("backward_layer", "cell"): values[half:],
            ("forward_layer",): [],
            ("forward_layer", "cell"): values[:half],
            ("layer", "cell"): [],
        }
    if kind in ("GRU", "LSTM"):
        return {(): [], ("cell",): values}
    return {(): values}


def write_zip(path: Path, config: object, metadata: object, weights: bytes, **how: Any) -> None:
    """Write a `.keras` file."""
    with zipfile.ZipFile(path, "w", **how) as archive:
        archive.writestr("metadata.json", json.dumps(metadata))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights)
