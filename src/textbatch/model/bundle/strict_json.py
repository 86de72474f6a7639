"""JSON of the bundle, read strictly: these keys, these types, nothing else."""

from __future__ import annotations

import inspect
import json
from typing import Any, TypeVar

from textbatch.errors import BundleError

T = TypeVar("T")

_MAX_DIGITS = 18
_RESTORE = "restore the bundle from its source or train it again"


def parse_json(data: bytes, name: str) -> Any:  # noqa: ANN401
    """Parse a JSON file of the bundle.

    Args:
        data: The file.
        name: Its name, for the message.

    Raises:
        BundleError: It is not UTF-8 JSON, repeats a key, nests too deep, or holds NaN, a number
            too large or half a surrogate pair.
    """

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("repeated key")
        return dict(pairs)

    def integer(digits: str) -> int:
        if len(digits) > _MAX_DIGITS:
            raise ValueError("integer out of range")
        return int(digits)

    try:
        value = json.loads(
            data.decode("utf-8"),
            parse_int=integer,
            parse_constant=refuse,
            object_pairs_hook=unique,
        )
        # What could not be written should not be read: infinity as 1e999, half surrogates.
        dump_json(value)
        return value
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{name} is not valid JSON", _RESTORE) from error


def dump_json(value: object) -> bytes:
    """Write a JSON file of the bundle: the same bytes for the same value."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def read_fields(kind: type[T], value: object, name: str) -> T:
    """Build a dataclass of plain numbers, strings and booleans from a JSON object.

    Args:
        kind: The dataclass.
        value: What the JSON holds.
        name: The file's name, for the message.

    Raises:
        BundleError: A key is missing or unknown, or a value has the wrong type.
    """
    # Annotations as written, which are plain type names in the dataclasses read here.
    expected: dict[str, str] = inspect.get_annotations(kind)
    if not isinstance(value, dict) or value.keys() != expected.keys():
        raise BundleError(f"{name} does not have exactly the keys {', '.join(expected)}", _RESTORE)
    for key, annotation in expected.items():
        found = value[key]
        if annotation == "float" and type(found) is int:
            value[key] = float(found)
        elif type(found).__name__ != annotation.partition("[")[0]:
            raise BundleError(f"{name}: '{key}' is not of type {annotation}", _RESTORE)
    return kind(**value)
