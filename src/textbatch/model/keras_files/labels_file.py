"""The file of labels: text, JSON, or a saved `LabelEncoder` of scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from textbatch.data.strict_json import parse_json
from textbatch.errors import BundleError
from textbatch.model.keras_files.pickle_names import (
    ARRAY,
    LABEL_ENCODER,
    Holder,
    UnsafePickleError,
    dtype_of,
)
from textbatch.model.keras_files.pickle_opcodes import is_pickle
from textbatch.model.keras_files.saved_object import read_bytes, saved_object, unpacked

_REMEDY = "write the labels into a text file, one on each line, in the order of the outputs"
_WHAT = "LabelEncoder"
#: Bytes that no text has: a pickle from protocol 2 on begins with the first.
_BINARY = (b"\x80", b"\x00")
_MAX_LABELS = 10_000
_LAST_CHARACTER = 0x10FFFF


def read_labels(path: Path) -> tuple[str, ...]:
    """Read labels. Nothing in the file is run.

    Args:
        path: A text file with a label on each line; JSON: a list, or an object of labels and
            numbers; or a `LabelEncoder` that pickle or joblib has saved.

    Returns:
        The labels in the order of the network's outputs.

    Raises:
        InputNotFoundError: There is no such file.
        BundleError: It holds something else.
    """
    data = unpacked(read_bytes(path, "labels"), path)
    if data.startswith((*_BINARY, b"ccopy_reg\n")) or is_pickle(data):
        labels = _from_encoder(path, data)
    else:
        labels = _from_text(path, data)
    if not 1 < len(labels) <= _MAX_LABELS:
        raise BundleError(f"{path} has {len(labels):,} labels", _REMEDY)
    if not all(labels) or len(set(labels)) < len(labels):
        raise BundleError(f"{path} has an empty label, or one twice", _REMEDY)
    try:
        "".join(labels).encode()
    except UnicodeEncodeError as error:
        raise BundleError(f"{path} has labels that are not Unicode", _REMEDY) from error
    return labels


def _from_text(path: Path, data: bytes) -> tuple[str, ...]:
    try:
        text = data.decode("utf-8-sig")
        if text.lstrip()[:1] not in ("[", "{"):
            lines = text.replace("\r\n", "\n").split("\n")
            return tuple(line for line in lines if line.strip())
        value = parse_json(text)
    except ValueError as error:
        raise BundleError(f"{path} is neither text nor JSON of labels", _REMEDY) from error
    if isinstance(value, dict):
        value = _in_order(value)
    if not isinstance(value, list) or not all(isinstance(one, str | int) for one in value):
        raise BundleError(f"{path} is no JSON of labels", _REMEDY)
    return tuple(map(str, value))


def _in_order(value: dict[str, object]) -> object:
    """The labels of `{"label": 0}` or `{"0": "label"}`."""
    wanted = [*range(len(value))]
    if sorted(map(str, value)) == sorted(map(str, wanted)):
        by_number = {int(key): label for key, label in value.items()}
        if all(isinstance(label, str) for label in value.values()):
            return [by_number[number] for number in wanted]
    numbers = [one for one in value.values() if type(one) is int]
    if sorted(numbers) == wanted:
        return sorted(value, key=lambda label: value[label])  # type: ignore[arg-type, return-value]
    return None


def _from_encoder(path: Path, data: bytes) -> tuple[str, ...]:
    found = saved_object(data, path, _WHAT)
    match found:
        case Holder(kind=kind, state={"classes_": Holder(kind=array, state=tuple(state))}) if (
            kind == LABEL_ENCODER and array == ARRAY
        ):
            try:
                return _values(state)
            except (UnsafePickleError, ValueError, TypeError, LookupError) as error:
                raise BundleError(f"{path} holds damaged labels", _REMEDY) from error
    raise BundleError(f"{path} holds no {_WHAT}", _REMEDY)


def _values(state: tuple[object, ...]) -> tuple[str, ...]:
    _, shape, dtype, _, content = state
    kind = dtype_of(dtype)
    if not isinstance(shape, tuple) or len(shape) != 1:
        raise ValueError("not a list of labels")
    if kind[0] == "O":
        if not isinstance(content, list) or not all(isinstance(one, str | int) for one in content):
            raise ValueError("labels that are neither texts nor numbers")
        return tuple(map(str, content))
    assert isinstance(dtype, Holder)
    order = dtype.state[1] if isinstance(dtype.state, tuple) else "<"
    if kind[0] not in "Uiub" or order not in ("<", ">", "|", "=") or not isinstance(content, bytes):
        raise ValueError("labels that are neither texts nor numbers")
    array = np.frombuffer(content, np.dtype(f"{order}{kind}"))
    if kind[0] == "U" and (array.view(f"{order}u4") > _LAST_CHARACTER).any():
        raise ValueError("not Unicode")
    if len(array) != shape[0]:
        raise ValueError("another number of labels")
    return tuple(map(str, array.tolist()))
