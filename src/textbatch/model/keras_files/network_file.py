"""Layers and weights of a Keras file: `.keras` of Keras 3 and 2, and `.h5` of both."""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from textbatch.data.strict_json import parse_json
from textbatch.errors import BundleError, InputNotFoundError
from textbatch.model.keras_files.hdf5_file import Hdf5File
from textbatch.model.keras_files.keras_layers import KerasFile, file_of
from textbatch.model.keras_files.layer_chain import chain_of, is_model
from textbatch.model.keras_files.saved_object import read_bytes
from textbatch.model.keras_files.vectorization import KIND, read_vectorization
from textbatch.types import Float32Array

_REMEDY = "save the model again with model.save('model.keras')"
_MAX_ENTRIES, _MAX_CONFIG, _MAX_FILE = 1_000, 16 << 20, 4 << 30
_MAX_VOCABULARY = 256 << 20
#: Keras does not compress; weights hardly shrink if somebody does.
_MAX_RATIO = 50
#: Where a layer has its variables, in the order of `get_weights`.
_PLACES = (
    "vars", "cell/vars", "layer/vars", "layer/cell/vars", "forward_layer/vars",
    "forward_layer/cell/vars", "backward_layer/vars", "backward_layer/cell/vars",
)  # fmt: skip
#: Where the layers are in the weights of a `.keras` file of Keras 3, and of Keras 2.
_ROOTS = ("layers", "_layer_checkpoint_dependencies")


def read_network_file(path: Path) -> KerasFile:
    """Read layers and weights. Nothing in the file is run.

    Args:
        path: A `.keras` or `.h5` file.

    Raises:
        InputNotFoundError: There is no such file.
        BundleError: It is damaged, unsafe, or holds something else than a chain of layers.
    """
    if path.is_dir():
        raise BundleError(
            f"{path} is a directory, as a SavedModel is; those are not read",
            "load it with Keras, and save it with model.save('model.keras')",
        )
    if not path.exists():
        raise InputNotFoundError(f"{path} does not exist", "check the path")
    data = read_bytes(path, "a Keras model", most=_MAX_FILE)
    if data.startswith(b"PK"):
        return _from_zip(path, data)
    if data.startswith(b"\x89HDF"):
        with Hdf5File(io.BytesIO(data), str(path)) as file:
            return _from_h5(path, file)
    raise BundleError(f"{path} is neither a .keras nor an .h5 file", _REMEDY)


def _from_zip(path: Path, data: bytes) -> KerasFile:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(archive.infolist()) > _MAX_ENTRIES:
                raise BundleError(f"{path} has too many files in it", _REMEDY)
            config = parse_json(_entry(archive, "config.json", _MAX_CONFIG))
            metadata = parse_json(_entry(archive, "metadata.json", _MAX_CONFIG))
            weights = _entry(archive, "model.weights.h5", _MAX_FILE)
            vocabulary = _vocabulary(archive)
    except (
        *(zipfile.BadZipFile, KeyError, ValueError, EOFError, zlib.error),
        *(OSError, RuntimeError, NotImplementedError, RecursionError),
        *(lzma.LZMAError, OverflowError),
    ) as error:
        raise BundleError(f"{path} is no .keras file, or damaged", _REMEDY) from error
    layers = chain_of(config, str(path))
    with Hdf5File(io.BytesIO(weights), str(path)) as file:
        root = _root_of(file, path)
        if any(map(is_model, layers)) and root != _ROOTS[0]:
            raise _nested(path)
        placed = list(_placed(layers, root, path, second=_second_number(file, root)))
        layers = [layer for layer, _ in placed]
        arrays = list(_arrays_by_place(file, [place for _, place in placed]))
    version = metadata.get("keras_version") if isinstance(metadata, dict) else ""
    first = _vectorizing(layers)
    read = read_vectorization(first["config"], vocabulary, str(path)) if first else None
    return file_of(layers, arrays, str(version or ""), read)


def _vocabulary(archive: zipfile.ZipFile) -> list[str] | None:
    """The words of the only `TextVectorization` layer, as Keras saves them beside the weights."""
    names = [
        name
        for name in archive.namelist()
        if re.fullmatch(r"assets/\w+/text_vectorization/vocabulary.txt", name.replace("\\", "/"))
    ]
    if len(names) != 1:
        return None
    return _entry(archive, names[0], _MAX_VOCABULARY).decode().split("\n")


def _vectorizing(layers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The `TextVectorization` layer that the network begins with, if it does."""
    for layer in layers:
        if layer["class_name"] != "InputLayer":
            return layer if layer["class_name"] == KIND else None
    return None


def _entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    entry = archive.getinfo(name)
    if entry.file_size > most or entry.file_size > _MAX_RATIO * max(1, entry.compress_size):
        raise ValueError("an entry is too large")
    with archive.open(entry) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError("an entry is too large")
    return data


def _root_of(file: Hdf5File, path: Path) -> str:
    """Where the layers are in the file."""
    roots = [one for one in _ROOTS if any(key.startswith(f"{one}/") for key in file.datasets)]
    if len(roots) != 1:
        raise BundleError(f"{path} has its weights in no known order", _REMEDY)
    return roots[0]


def _second_number(file: Hdf5File, root: str) -> int:
    """The number of the second layer of a class: 1; Keras 2.12 counts `gru`, `gru_2`, `gru_3`."""
    inside = (one.removeprefix(f"{root}/") for one in file.groups if one.startswith(f"{root}/"))
    numbers = [found[1] for one in inside if (found := re.fullmatch(r"\w+_(\d{1,4})", one))]
    return 2 if numbers and min(map(int, numbers)) == 2 else 1


def _placed(
    layers: Sequence[Mapping[str, Any]], root: str, path: Path, *, second: int = 1
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The layers, those of models inside the model one by one, and where their weights are.

    Keras names places by class and number, not by the layer's name.
    """
    seen = Counter[str]()
    for layer in layers:
        kind = snake_case(layer["class_name"])
        place = f"{root}/{kind}" + (f"_{seen[kind] + second - 1}" if seen[kind] else "")
        seen[kind] += 1
        if not is_model(layer):
            yield layer, place
            continue
        for inner, where in _placed(chain_of(layer, str(path)), f"{place}/{_ROOTS[0]}", path):
            if inner["class_name"] != "InputLayer":
                yield inner, where


def _nested(path: Path) -> BundleError:
    return BundleError(
        f"{path} holds a model inside a model, which is read from a .keras file of Keras 3 alone",
        "load it with Keras 3, and save it with model.save('model.keras')",
    )


def _arrays_by_place(file: Hdf5File, places: Sequence[str]) -> Iterator[list[Float32Array]]:
    """The arrays of each layer."""
    by_place: dict[str, dict[int, str]] = {}
    for key in file.datasets:
        place, _, number = key.rpartition("/")
        if number.isascii() and number.isdecimal():
            by_place.setdefault(place, {})[int(number)] = key
    for place in places:
        yield [
            file.array(found[number])
            for inner in _PLACES
            for found in [by_place.get(f"{place}/{inner}", {})]
            for number in sorted(found)
        ]


def snake_case(name: str) -> str:
    """The name of a layer's class as Keras writes it in paths: `GRU` is `gru`.

    Args:
        name: Such as `SpatialDropout1D`.
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _from_h5(path: Path, file: Hdf5File) -> KerasFile:
    config = file.attribute("", "model_config")
    if not isinstance(config, str):
        raise BundleError(
            f"{path} holds weights without a model", "save the whole model: model.save, not weights"
        )
    try:
        layers = chain_of(parse_json(config), str(path))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is damaged", _REMEDY) from error
    if any(map(is_model, layers)):
        raise _nested(path)
    names = file.attribute("model_weights", "layer_names") or []
    with_weights = [one for one in layers if one["class_name"] != "InputLayer"]
    inputs = len(layers) - len(with_weights)
    kept = [name for name in names if file.attribute(f"model_weights/{name}", "weight_names")]
    if len(names) not in (len(with_weights), len(layers)) and len(kept) > len(with_weights):
        raise BundleError(f"{path} has other weights than layers", _REMEDY)
    # In the order of the layers; a Functional model's first layer may be its input.
    if len(names) == len(layers) and inputs:
        names = names[inputs:]
    by_order = len(names) == len(with_weights)
    arrays: list[list[Float32Array]] = [[] for _ in range(inputs)]
    for number, layer in enumerate(with_weights):
        name = names[number] if by_order else layer["config"].get("name")
        group = f"model_weights/{name}"
        of_layer = file.attribute(group, "weight_names") if name in names else None
        arrays.append([file.array(f"{group}/{one}") for one in of_layer or []])
    version = file.attribute("", "keras_version")
    first = _vectorizing(layers)
    read = read_vectorization(first["config"], None, str(path)) if first else None
    return file_of(layers, arrays, version if isinstance(version, str) else "", read)
