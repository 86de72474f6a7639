"""The tensors of a bundle: one safetensors file, read by our own code."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from textbatch.errors import BundleError
from textbatch.model.layout import LAYOUT, RESTORE
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain
from textbatch.types import Float32Array

_LENGTH_BYTES, _MAX_HEADER_BYTES = 8, 1 << 20
_FLOAT32, _BLOCK_VALUES = "F32", 1 << 20
_NAMES = {_FLOAT32: "float32", "I32": "int32"}
_TYPES = {_FLOAT32: "<f4", "I32": "<i4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """All tensors of a network, and the bytes that hold them.

    Attributes:
        data: Content of the safetensors file.
        offsets: Where each tensor starts in `data`, in bytes.
        tensors: Tensors by name, as views into `data`, float32. `Architecture.tensor_shapes` has
            their shapes.
    """

    data: bytes | memoryview
    offsets: Mapping[str, int]
    tensors: Mapping[str, Float32Array]

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the bytes once, as an array: arrays need not be copied on their way."""
        shapes = {name: value.shape for name, value in self.tensors.items()}
        return _from_array, (np.frombuffer(self.data, np.uint8), dict(self.offsets), shapes)

    @classmethod
    def pack(
        cls, tensors: Mapping[str, Float32Array], architecture: Architecture | Chain
    ) -> Weights:
        """Put tensors into a safetensors file.

        Args:
            tensors: Tensors by name.
            architecture: The network that they belong to.
        """
        contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
        return cls.parse(save(contiguous), architecture)

    @classmethod
    def parse(cls, data: bytes, architecture: Architecture | Chain) -> Weights:
        """Read a safetensors file that must hold exactly the tensors of a network.

        Nothing in the header of the file is believed. Names, types, shapes and places are compared
        with those of the architecture before any tensor is used.

        Args:
            data: Content of the file.
            architecture: The network.

        Raises:
            BundleError: The header is malformed. Or a tensor is missing, extra, or of another shape
                or type. Or a weight is not finite.
        """
        tensors, offsets = parse_tensors(data, cls._expected(architecture), LAYOUT.weights)
        return cls(data=data, offsets=offsets, tensors=tensors)

    @classmethod
    def most_bytes(cls, architecture: Architecture | Chain) -> int:
        """The largest file that can hold the tensors of a network."""
        return most_bytes(cls._expected(architecture))

    @staticmethod
    def _expected(architecture: Architecture | Chain) -> dict[str, tuple[str, tuple[int, ...]]]:
        return {name: (_FLOAT32, s) for name, s in architecture.tensor_shapes().items()}


def _from_array(
    data: NDArray[np.uint8], offsets: Mapping[str, int], shapes: Mapping[str, tuple[int, ...]]
) -> Weights:
    tensors = {
        name: np.frombuffer(data, "<f4", math.prod(shape), offsets[name]).reshape(shape)
        for name, shape in shapes.items()
    }
    return Weights(data=data.data, offsets=offsets, tensors=tensors)


def most_bytes(expected: Mapping[str, tuple[str, tuple[int, ...]]]) -> int:
    """The largest file that can hold the expected tensors; see `parse_tensors`."""
    content = sum(4 * math.prod(shape) for _, shape in expected.values())
    return _LENGTH_BYTES + _MAX_HEADER_BYTES + content


def parse_tensors(
    data: bytes, expected: Mapping[str, tuple[str, tuple[int, ...]]], file: str
) -> tuple[dict[str, NDArray[Any]], dict[str, int]]:
    """Read a safetensors file that must hold exactly the expected tensors.

    Args:
        data: Content of the file.
        expected: Type (`F32` or `I32`) and shape of each tensor, by name.
        file: Name of the file, for messages.

    Returns:
        The tensors, as views into `data`; and where each starts in `data`, in bytes.

    Raises:
        BundleError: See `Weights.parse`.
    """
    header, start = _header(data, file)
    if header.keys() != expected.keys():
        odd = sorted(header.keys() ^ expected.keys())[0]
        raise BundleError(f"{file}: tensor '{odd}' is missing or extra", RESTORE)
    offsets: dict[str, int] = {}
    tensors: dict[str, NDArray[Any]] = {}
    places: list[tuple[int, int]] = []
    for name, (kind, shape) in expected.items():
        count = math.prod(shape)
        begin, end = _place(name, header[name], kind, shape)
        if end - begin != 4 * count or not 0 <= begin <= end <= len(data) - start:
            raise BundleError(f"{file}: tensor '{name}' lies wrong", RESTORE)
        places.append((begin, end))
        offsets[name] = start + begin
        flat = np.frombuffer(data, _TYPES[kind], count, start + begin)
        if kind == _FLOAT32 and not _all_finite(flat):
            raise BundleError(f"tensor '{name}' holds NaN or infinity", RESTORE)
        tensors[name] = flat.reshape(shape)
    _check_no_gaps(places, len(data) - start, file)
    return tensors, offsets


def _all_finite(values: Float32Array) -> bool:
    # In blocks: for each number the answer takes a byte.
    return all(
        np.isfinite(values[start : start + _BLOCK_VALUES]).all()
        for start in range(0, len(values), _BLOCK_VALUES)
    )


def _header(data: bytes, file: str) -> tuple[dict[str, object], int]:
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    start = _LENGTH_BYTES + length
    if len(data) < _LENGTH_BYTES or start > len(data) or length > _MAX_HEADER_BYTES:
        raise BundleError(f"{file} is cut off or has an oversized header", RESTORE)
    try:
        header = json.loads(data[_LENGTH_BYTES:start])
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{file} has a malformed header", RESTORE) from error
    if not isinstance(header, dict):
        raise BundleError(f"{file} has a malformed header", RESTORE)
    header.pop("__metadata__", None)
    return header, start


def _place(name: str, entry: object, kind: str, shape: tuple[int, ...]) -> tuple[int, int]:
    match entry:
        case {"dtype": str(found), "shape": [*sizes], "data_offsets": [int(begin), int(end)]} if (
            found == kind
        ):
            if tuple(sizes) != shape:
                raise BundleError(
                    f"tensor '{name}' has shape {tuple(sizes)}, {LAYOUT.config} asks for {shape}",
                    RESTORE,
                )
            return begin, end
        case _:
            raise BundleError(f"tensor '{name}' is not {_NAMES[kind]}", RESTORE)


def _check_no_gaps(places: list[tuple[int, int]], size: int, file: str) -> None:
    position = 0
    for begin, end in sorted(places):
        if begin != position:
            raise BundleError(f"{file}: tensors overlap or leave gaps", RESTORE)
        position = end
    if position != size:
        raise BundleError(f"{file} holds more than its tensors", RESTORE)
