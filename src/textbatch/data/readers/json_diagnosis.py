"""Finds what is wrong with a line of JSON. Arrow names no line or no cause, or quotes the line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import pyarrow as pa

from textbatch.data.readers.column_names import looks_like_data, shown
from textbatch.errors import DataError

#: Arrow's JSON parser recurses: a few thousand levels end the process (SIGSEGV).
MAX_DEPTH = 100
FIX = "write one JSON object a line"
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?')
_BRACKET = re.compile(rb"[\[\]{}]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

#: Names of fields, from the outermost object on. An element of a list has an empty name.
Path = tuple[str, ...]


class _Object(list[tuple[str, Any]]):
    """The pairs of an object, with repeated keys."""


class Whole(str):
    """An integer, as it is written."""

    __slots__ = ()


class Fraction(str):
    """Another number, as it is written."""

    __slots__ = ()


_DECODER = json.JSONDecoder(object_pairs_hook=_Object, parse_int=Whole, parse_float=Fraction)


def check_lines(content: bytes, first_line: int, file: object) -> int:
    """Check that each line begins and ends like an object, before Arrow reads it.

    Args:
        content: Whole lines.
        first_line: Number of the first line, from 1.
        file: The file, for messages.

    Returns:
        Number of lines that are not blank.

    Raises:
        DataError: A line is not an object, or is nested too deeply.
    """
    count = 0
    for number, line in enumerate(content.split(b"\n"), first_line):
        stripped = line.strip()
        if not stripped:
            continue
        count += 1
        if not (stripped.startswith(b"{") and stripped.endswith(b"}")):
            raise _no_object(stripped, number, file)
        # Counting is fast. Only a line with that many brackets is examined.
        if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _depth(line) > MAX_DEPTH:
            raise DataError(
                f"{file} line {number} nests more than {MAX_DEPTH} levels deep", "flatten it"
            )
    return count


def _no_object(line: bytes, number: int, file: object) -> DataError:
    if number == 1 and line.startswith(b"["):
        return DataError(
            f"{file} line 1 is not a JSON object: it begins one array of all rows",
            f"{FIX}, for example with jq -c '.[]'",
        )
    if line.startswith(b"{"):
        try:
            _, end = _DECODER.raw_decode(line.decode(errors="replace"))
        except json.JSONDecodeError:
            what = "it ends before the object does"
        else:
            what = f"something follows the object at character {end + 1}"
        return DataError(f"{file} line {number} is not a JSON object: {what}", FIX)
    return DataError(f"{file} line {number} is not a JSON object", FIX)


def _depth(line: bytes) -> int:
    """How deep a JSON text is nested. Brackets inside strings do not count."""
    brackets = _BRACKET.findall(_STRING.sub(b"", line))
    return max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets), default=0)


def bad_line(content: bytes, first_line: int, types: pa.Schema, file: object) -> DataError:
    """Find the line that Arrow cannot read, alone or together with the others.

    Args:
        content: Whole lines.
        first_line: Number of the first line, from 1.
        types: Types of the columns so far.
        file: The file, for messages.

    Returns:
        An error that names the line, its column and the cause.
    """
    kinds = {path: _kind_of_type(kind) for path, kind in leaves(types)}
    for number, line in enumerate(content.split(b"\n"), first_line):
        if line.strip() and (wrong := _wrong(line, kinds)):
            return DataError(f"{file} line {number} {wrong[0]}", wrong[1])
    last_line = first_line + content.rstrip().count(b"\n")
    return DataError(f"{file} cannot be read between lines {first_line} and {last_line}", FIX)


def values(line: bytes) -> Iterator[tuple[Path, Any]]:
    """Yield every value of a valid line, with its path. Numbers are given as they are written."""
    yield from _walk((), _DECODER.decode(line.decode(errors="replace")))


def shown_path(path: Path) -> str:
    """Show a path in a message. Names that may be data are left out."""
    top, *inner = path
    if any(map(looks_like_data, path)):
        return "a column" if looks_like_data(top) else f"column {shown(top)}"
    return f"column {shown('.'.join([top, *filter(None, inner)]))}"


def _wrong(line: bytes, kinds: dict[Path, str]) -> tuple[str, str] | None:
    """Say what is wrong with a line, and what to do. Remember what each column holds."""
    text = line.decode(errors="surrogateescape")
    try:
        start = len(text) - len(text.lstrip())
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        return f"is not valid JSON at character {error.pos + 1}: {_cause(error)}", FIX
    if rest := text[end:].strip():
        if rest.startswith("{"):
            return "holds more than one object", FIX
        return f"is not valid JSON at character {end + 1}: something follows the object", FIX
    invalid = text.isascii() is False and _SURROGATE.search(text) is not None
    for path, found in _walk((), value):
        if wrong := _wrong_value(path, found, kinds, invalid=invalid):
            return wrong
    return None


def _cause(error: json.JSONDecodeError) -> str:
    """What Python says, which does not quote: `Unterminated string starting at`, and others."""
    return error.msg.lower().removesuffix(" at").removesuffix(" starting")


def _wrong_value(
    path: Path, value: object, kinds: dict[Path, str], *, invalid: bool
) -> tuple[str, str] | None:
    where = shown_path(path) if path else ""
    if isinstance(value, _Object):
        names = [name for name, _ in value]
        if any(map(_SURROGATE.search, names)):
            told = "is not UTF-8" if invalid else "holds half a surrogate pair"
            return f"has a key that {told}", "mend how the file is written"
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            return f"has twice the key of {shown_path((*path, twice))}", "write each key once"
    if isinstance(value, str) and not invalid and _SURROGATE.search(value):
        return f"has half a surrogate pair in {where}", "mend how its texts are cut or escaped"
    if isinstance(value, Whole | Fraction) and math.isinf(float(value)):
        return f"has a number beyond a double's range in {where}", "write it as text, in quotes"
    kind = _kind(value)
    if kind and path:
        before = kinds.setdefault(path, kind)
        if before and before != kind:
            return (
                f"has {kind} in {where}, which held {before} before",
                "give each column one type",
            )
    return None


def _walk(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401
    yield path, value
    if isinstance(value, _Object):
        for name, inner in value:
            yield from _walk((*path, name), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk((*path, ""), inner)


def _kind(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true or false"
        case Whole() | Fraction() | float():
            return "a number"
        case str():
            return "a text"
        case _Object():
            return "an object"
    return "a list"


def leaves(schema: pa.Schema) -> Iterator[tuple[Path, pa.DataType]]:
    """Yield the type at each path, of outer and inner ones."""
    for field in schema:
        yield from _inner((field.name,), field.type)


def _inner(path: Path, kind: pa.DataType) -> Iterator[tuple[Path, pa.DataType]]:
    yield path, kind
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _inner((*path, field.name), field.type)
    elif pa.types.is_list(kind):
        yield from _inner((*path, ""), kind.value_type)


def _kind_of_type(kind: pa.DataType) -> str:
    if pa.types.is_null(kind):
        return ""
    if pa.types.is_boolean(kind):
        return "true or false"
    if pa.types.is_struct(kind):
        return "an object"
    if pa.types.is_list(kind):
        return "a list"
    return "a text" if pa.types.is_string(kind) else "a number"
