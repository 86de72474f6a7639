"""The JSON of a bundle, read strictly: exactly the expected keys, types and ranges."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from textbatch.data import strict_json
from textbatch.errors import BundleError
from textbatch.model.layout import RESTORE

T = TypeVar("T")


def parse_json(data: bytes, name: str) -> Any:  # noqa: ANN401
    """Parse a JSON file of the bundle.

    Args:
        data: Content of the file.
        name: Name of the file, for the message.

    Raises:
        BundleError: It is not JSON in UTF-8, repeats a key or is nested too deep. Or it holds NaN,
            a number that is too large, or half a surrogate pair.
    """
    try:
        value = strict_json.parse_json(data)
        # A value that cannot be written must not be read: half surrogates.
        dump_json(value)
        return value
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{name} is not valid JSON", RESTORE) from error


def dump_json(value: object) -> bytes:
    """Write a JSON file of the bundle. The same value gives the same bytes."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def read_fields(kind: type[T], value: object, name: str) -> T:
    """Build a dataclass from the JSON of its `asdict`.

    Args:
        kind: The dataclass. Its annotations say what each field may hold.
        value: The parsed JSON.
        name: Name of the file, for the message.

    Raises:
        BundleError: A key is missing or unknown, or a value has a wrong type or is out of range.
    """
    try:
        record = strict_json.as_record(kind, value)
    except ValueError as error:
        raise BundleError(
            f"{name}: a field is missing, or has a wrong type or value", RESTORE
        ) from error
    if strict_json.to_json(record) != value:
        raise BundleError(f"{name} has a field that is not known", RESTORE)
    return record
