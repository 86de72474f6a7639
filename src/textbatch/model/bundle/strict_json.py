"""The JSON of a bundle, read strictly: exactly the expected keys, types and ranges."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from textbatch.data import strict_json
from textbatch.errors import BundleError
from textbatch.model.layout import RESTORE

T = TypeVar("T")

#: What the JSON of a bundle may hold: lists and objects; values; levels. The most are held-out
#: answers, two values for each of a million rows, and the confusion of thousands of labels.
_MAX_CONTAINERS, _MAX_VALUES, _MAX_DEPTH = 100_000, 6_000_000, 32


def parse_json(data: bytes, name: str) -> Any:  # noqa: ANN401
    """Parse a JSON file of the bundle.

    Args:
        data: Content of the file.
        name: Name of the file, for the message.

    Raises:
        BundleError: It is not JSON in UTF-8, repeats a key, is nested too deep or has too many
            values. Or it holds NaN, a number that is too large, or half a surrogate pair.
    """
    # Counted before anything is built of it: an empty list takes 2 bytes here and 60 in memory.
    containers = data.count(b"[") + data.count(b"{")
    if containers > _MAX_CONTAINERS or data.count(b",") > _MAX_VALUES:
        raise BundleError(f"{name} is not valid JSON of a bundle: too many values", RESTORE)
    try:
        value = strict_json.parse_json(data)
        if not _is_shallow(value, _MAX_DEPTH):
            raise ValueError("nested too deep")
        # A value that cannot be written must not be read: half surrogates, which only escapes give.
        if b"\\u" in data:
            dump_json(value)
        return value
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{name} is not valid JSON", RESTORE) from error


def dump_json(value: object) -> bytes:
    """Write a JSON file of the bundle. The same value gives the same bytes."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def _is_shallow(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(
        _is_shallow(one, levels - 1) for one in inner if isinstance(one, dict | list)
    )


def check_fields(kind: type[T], value: object, name: str) -> T:
    """Build a record from JSON that may have other fields too.

    Args:
        kind: As in `read_fields`.
        value: As in `read_fields`.
        name: As in `read_fields`.

    Raises:
        BundleError: A key is missing, or a value has a wrong type or is out of range.
    """
    try:
        return strict_json.as_record(kind, value)
    except ValueError as error:
        raise BundleError(
            f"{name}: a field is missing, or has a wrong type or value", RESTORE
        ) from error


def read_fields(kind: type[T], value: object, name: str) -> T:
    """Build a dataclass from the JSON of its `asdict`.

    Args:
        kind: The dataclass. Its annotations say what each field may hold.
        value: The parsed JSON.
        name: Name of the file, for the message.

    Raises:
        BundleError: A key is missing or unknown, or a value has a wrong type or is out of range.
    """
    record = check_fields(kind, value, name)
    if strict_json.to_json(record) != value:
        raise BundleError(f"{name} has a field that is not known", RESTORE)
    return record
