"""The JSON of a bundle, read strictly: exactly the expected keys and types."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from textbatch.errors import BundleError
from textbatch.model.layout import RESTORE

T = TypeVar("T")

_MAX_DIGITS = 18


def parse_json(data: bytes, name: str) -> Any:  # noqa: ANN401
    """Parse a JSON file of the bundle.

    Args:
        data: Content of the file.
        name: Name of the file, for the message.

    Raises:
        BundleError: It is not JSON in UTF-8, repeats a key or is nested too deep. Or it holds NaN,
            a number that is too large, or half a surrogate pair.
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
        # A value that cannot be written must not be read: infinity as 1e999, half surrogates.
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

    Its fields may be numbers, strings, booleans, lists, tuples of any length, dicts with strings as
    keys, and dataclasses of these.

    Args:
        kind: The dataclass.
        value: The parsed JSON.
        name: Name of the file, for the message.

    Raises:
        BundleError: A key is missing or unknown, or a value has the wrong type.
    """
    expected = get_type_hints(kind)
    if not isinstance(value, dict) or value.keys() != expected.keys():
        raise BundleError(f"{name} does not have exactly the keys {', '.join(expected)}", RESTORE)
    return kind(**{key: _read(hint, value[key], name, key) for key, hint in expected.items()})


def _read(hint: Any, value: object, name: str, key: str) -> Any:  # noqa: ANN401
    if is_dataclass(hint) and isinstance(hint, type):
        return read_fields(hint, value, name)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (list, tuple) and type(value) is list:
        return origin(_items(arguments[0], value, name, key))
    if origin is dict and type(value) is dict:
        return dict(zip(value, _items(arguments[1], [*value.values()], name, key), strict=True))
    if origin is None:
        return _items(hint, [value], name, key)[0]
    raise _wrong_type(hint, name, key)


def _items(hint: Any, values: list[Any], name: str, key: str) -> Sequence[Any]:  # noqa: ANN401
    if hint not in (bool, int, float, str):
        return [_read(hint, value, name, key) for value in values]
    # The type, not isinstance, because True is an int. All at once, because there may be many.
    kinds = set(map(type, values))
    if hint is float and kinds <= {int, float}:
        return [*map(float, values)] if int in kinds else values
    if not kinds <= {hint}:
        raise _wrong_type(hint, name, key)
    return values


def _wrong_type(hint: Any, name: str, key: str) -> BundleError:  # noqa: ANN401
    kind = hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
    return BundleError(f"{name}: '{key}' is not of type {kind}", RESTORE)
