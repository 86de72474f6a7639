"""Tests of reading files of Keras releases before Keras 3."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.keras_files import (
    CHAIN,
    Layer,
    arrays,
    config_of,
    write_h5,
    write_keras_2,
    write_zip,
)

from textbatch.errors import BundleError, InputNotFoundError
from textbatch.model.keras_files.keras_layers import KerasFile
from textbatch.model.keras_files.network_file import read_network_file

CUDNN: tuple[Layer, ...] = (
    CHAIN[0],
    (
        "CuDNNLSTM",
        "fast",
        {"units": 3},
        {"kernel": (4, 12), "recurrent_kernel": (3, 12), "bias": (24,)},
    ),
    ("Dense", "last", {"units": 2}, {"kernel": (3, 2), "bias": (2,)}),
)


def check(found: KerasFile, layers: tuple[Layer, ...], made: list[list[np.ndarray]]) -> None:
    assert found.layers[0].kind == "InputLayer"
    assert found.layers[0].weights == ()
    assert [(one.kind, one.name) for one in found.layers[1:]] == [one[:2] for one in layers]
    for layer, (_, _, config, _), expected in zip(found.layers[1:], layers, made, strict=True):
        assert config.items() <= layer.config.items()
        assert len(layer.weights) == len(expected)
        for given, wanted in zip(layer.weights, expected, strict=True):
            assert given.dtype == np.float32
            np.testing.assert_array_equal(given, wanted)


@pytest.mark.parametrize("functional", [False, True])
@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("bytes_attributes", [False, True])
def test_h5_of_keras_2(tmp_path: Path, functional: bool, parts: int, bytes_attributes: bool):
    path = tmp_path / "model.h5"
    made = write_h5(path, functional=functional, parts=parts, bytes_attributes=bytes_attributes)
    found = read_network_file(path)

    check(found, CHAIN, made)
    assert (found.input_length, found.keras_version) == (7, "2.11.0")


@pytest.mark.parametrize("functional", [False, True])
@pytest.mark.parametrize("windows", [False, True])
def test_keras_zip_of_keras_2(tmp_path: Path, functional: bool, windows: bool):
    path = tmp_path / "model.keras"
    made = write_keras_2(path, functional=functional, windows=windows)
    found = read_network_file(path)

    check(found, CHAIN, made)
    assert (found.input_length, found.keras_version) == (7, "2.13.1")


def test_weights_are_read_in_the_order_that_the_file_gives_not_by_name(tmp_path: Path):
    weights = {"b": (4, 9), "a": (3, 9), "c": (2, 9)}
    layers = (CHAIN[0], ("GRU", "gru", {"units": 3}, weights))
    made = write_h5(tmp_path / "model.h5", layers)

    check(read_network_file(tmp_path / "model.h5"), layers, made)


def test_layers_of_one_class_keep_their_order_beyond_nine(tmp_path: Path):
    layers = tuple(
        ("Dense", f"z{99 - number}", {"units": 2}, {"kernel": (2, 2), "bias": (2,)})
        for number in range(12)
    )
    for write, name in ((write_h5, "model.h5"), (write_keras_2, "model.keras")):
        made = write(tmp_path / name, layers)

        check(read_network_file(tmp_path / name), layers, made)


def test_layers_of_cudnn_keep_both_biases(tmp_path: Path):
    made = write_h5(tmp_path / "model.h5", CUDNN)

    check(read_network_file(tmp_path / "model.h5"), CUDNN, made)


def test_without_a_length_there_is_none(tmp_path: Path):
    layers = (("Embedding", "words", {}, {"embeddings": (20, 4)}), CHAIN[-1])
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, values in zip(("embedding", "dense"), arrays(layers), strict=True):
            for number, value in enumerate(values):
                file[f"layers/{name}/vars/{number}"] = value
    write_zip(tmp_path / "m.keras", config_of(layers, length=None), {}, content.getvalue())
    found = read_network_file(tmp_path / "m.keras")

    check(found, layers, arrays(layers))
    assert (found.input_length, found.keras_version) == (None, "")


def changed(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    config = config_of(functional=True)
    change(config)
    return config


def wrapped(layer: dict[str, Any]) -> None:
    """Put a layer into a model of its own."""
    inner = {"class_name": layer["class_name"], "config": layer["config"]}
    config = {"name": layer["config"]["name"], "layers": [inner]}
    layer.update(class_name="Sequential", config=config)


def layer_of(config: dict[str, Any], at: int) -> dict[str, Any]:
    return config["config"]["layers"][at]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (changed(lambda c: c.update(class_name="MyModel")), "no Sequential"),
        (changed(lambda c: layer_of(c, 3).update(class_name="Sequential")), "no layers"),
        (changed(lambda c: wrapped(layer_of(c, 3))), "of Keras 3 alone"),
        (
            changed(lambda c: layer_of(c, 3).update(inbound_nodes=[[["z_words", 0, 0, {}]]])),
            "Bidirectional does not read",
        ),
        (
            changed(lambda c: layer_of(c, 3)["inbound_nodes"].append([["z_words", 0, 0, {}]])),
            "Bidirectional does not read",
        ),
        (changed(lambda c: layer_of(c, 1).update(class_name="InputLayer")), "2 inputs"),
        (changed(lambda c: layer_of(c, 5)["config"].update(dtype="float16")), "float16"),
        (
            changed(
                lambda c: layer_of(c, 5)["config"].update(
                    dtype={"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
                )
            ),
            "mixed_float16",
        ),
        (
            changed(
                lambda c: layer_of(c, 5)["config"].update(quantization_config={"mode": "int8"})
            ),
            "quantized",
        ),
    ],
)
def test_what_is_no_chain_of_float32_is_refused_with_the_reason(
    tmp_path: Path, config: dict[str, Any], message: str
):
    write_keras_2(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        weights = archive.read("model.weights.h5")
    write_zip(tmp_path / "model.keras", config, {}, weights)

    with pytest.raises(BundleError, match=message) as caught:
        read_network_file(tmp_path / "model.keras")
    assert caught.value.exit_code == 66


def test_a_directory_weights_alone_and_no_file(tmp_path: Path):
    with pytest.raises(BundleError, match="SavedModel"):
        read_network_file(tmp_path)
    with pytest.raises(InputNotFoundError):
        read_network_file(tmp_path / "none.keras")
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file.create_group("dense")
    with pytest.raises(BundleError, match="weights without a model"):
        read_network_file(tmp_path / "weights.h5")


@pytest.mark.parametrize("write", [write_h5, write_keras_2])
def test_any_changed_byte_reads_or_is_refused(
    tmp_path: Path, write: Callable[[Path], list[list[np.ndarray]]]
):
    path = tmp_path / "model"
    write(path)
    data, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(data)
        for at in random.integers(len(data), size=random.integers(1, 30)):
            damaged[at] = random.integers(256)
        path.write_bytes(damaged)
        try:
            read_network_file(path)
        except BundleError:
            continue


def test_the_config_may_not_be_nested_without_end(tmp_path: Path):
    write_keras_2(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "deep.keras", "w") as archive:
        archive.writestr("config.json", "[" * 100_000)
        archive.writestr("metadata.json", json.dumps({}))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(BundleError):
        read_network_file(tmp_path / "deep.keras")
