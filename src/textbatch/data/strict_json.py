"""JSON from outside, read strictly: only the expected types and ranges.

A record is a frozen dataclass. Its annotations say what each field may hold, and msgspec checks
them. Keys that a newer textbatch has added are ignored.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

T = TypeVar("T")

#: Up to here every reader of JSON reads the same number.
_MAX_COUNT = 2**53 - 1
_MAX_DIGITS = 18

Count = Annotated[int, Meta(ge=0, le=_MAX_COUNT)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
RunId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]
#: A version of textbatch.
Version = Annotated[str, Meta(pattern=r"\A[0-9A-Za-z.+!-]{1,64}\Z")]


def parse_json(data: bytes | str) -> Any:  # noqa: ANN401 - whatever it holds
    """Parse JSON strictly.

    Args:
        data: The text; bytes are UTF-8.

    Returns:
        What it holds.

    Raises:
        ValueError: It is not JSON, repeats a key or is nested too deep. Or it holds NaN, infinity,
            or an integer of more than 18 digits.
    """
    try:
        return json.loads(
            data if isinstance(data, str) else data.decode("utf-8"),
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_refuse,
            object_pairs_hook=_unique,
        )
    except RecursionError:
        raise ValueError("nested too deep") from None


def as_record(kind: type[T], value: object) -> T:
    """Build a record from parsed JSON.

    Args:
        kind: A dataclass, or another type that msgspec can convert to.
        value: Dictionaries, lists, texts and numbers.

    Returns:
        The record.

    Raises:
        ValueError: A key is missing, or a value has a wrong type or is out of range. The message
            quotes no value.
    """
    try:
        return msgspec.convert(value, kind, strict=True)
    except (msgspec.ValidationError, UnicodeError, RecursionError) as error:
        raise ValueError("a field is missing, or has a wrong type or value") from error


def read_record(kind: type[T], data: bytes | str) -> T:
    """Parse JSON into a record.

    Args:
        kind: See `as_record`.
        data: See `parse_json`.

    Returns:
        The record.

    Raises:
        ValueError: It is not JSON, or not such a record.
    """
    return as_record(kind, parse_json(data))


def to_json(record: object) -> Any:  # noqa: ANN401 - dictionaries, lists, texts and numbers
    """Turn a record into values for JSON: the opposite of `as_record`."""
    return _plain(msgspec.to_builtins(record))


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("an integer is out of range")
    return int(digits)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is out of range")
    return value


def _refuse(_constant: str) -> None:
    raise ValueError("not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is repeated")
    return found
