"""Parquet's own types of the columns of an input. Arrow does not know all of them.

ENUM, INTERVAL, BSON, a time of day with a zone, shapes on a map: Arrow reads their bytes and drops
the type. Parquet has the type beside the name of the column, in the schema of the footer. The
footer of the output gets the same type back: see `data/output/parquet_file.py`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.readers.thrift_compact import (
    Items,
    MalformedError,
    Struct,
    read_field,
    write_items,
)

#: Fields of Parquet's `SchemaElement`, and the field of the schema in its `FileMetaData`.
_PHYSICAL, _LENGTH, _NAME, _CHILDREN, _CONVERTED, _LOGICAL = 1, 2, 4, 5, 6, 10
_SCHEMA = 2
#: A field of `LogicalType`, and a value of `ConvertedType` that Arrow writes instead of others.
_TIME = 7
_UTF8 = 0
#: Values of `ConvertedType` and fields of `LogicalType` as messages name them.
_CONVERTED_NAMES = {4: "ENUM", 19: "JSON", 20: "BSON", 21: "INTERVAL"}
_LOGICAL_NAMES = {4: "ENUM", 7: "TIME", 9: "INTERVAL", 12: "JSON", 13: "BSON", 14: "UUID"}
_LOGICAL_NAMES |= {16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY"}
#: The old timestamps: a physical type, which no writer makes any more.
INT96 = "INT96"
_INT96 = 3
#: How Arrow prints types that it reads as other ones, at least in some version.
_DOUBTFUL = re.compile(
    r"\((?:Enum|Interval|BSON|JSON|UUID|Geometry|Geography|Variant|Unknown|Undefined"
    r"|Time\(isAdjustedToUTC=true)|\bint96\b",
    re.IGNORECASE,
)
#: Bytes after a footer: its length and Parquet's mark.
TAIL_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnTypes:
    """The Parquet types of a column.

    Attributes:
        leaves: Types of its innermost columns, by their paths, in order.
        groups: Types of the columns around them, by their paths.
    """

    leaves: dict[tuple[str, ...], Struct]
    groups: dict[tuple[str, ...], Struct]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retyped:
    """A footer in which types were changed.

    Attributes:
        footer: The footer.
        unchanged: The innermost columns that keep the types that Arrow gave them, by Arrow's names.
        lost: The columns that did not get all their types back, each with the type that it had.
    """

    footer: bytes
    unchanged: list[str]
    lost: dict[str, str]


def doubtful_types(file: pa.NativeFile, schema: pq.ParquetSchema) -> dict[str, ColumnTypes]:
    """Read the Parquet types of the columns of a file, if there is one that Arrow may drop.

    Args:
        file: The file.
        schema: The schema as Arrow reads it.

    Returns:
        Types by the names of the columns; empty if Arrow knows all types.
    """
    if not _DOUBTFUL.search(str(schema)):
        return {}
    size = file.size()
    length = int.from_bytes(file.read_at(TAIL_BYTES, size - TAIL_BYTES)[:4], "little")
    elements, _, _ = _schema(file.read_at(length, size - TAIL_BYTES - length))
    return _columns(elements)


def tried_types(schema: pa.Schema, wanted: Mapping[str, ColumnTypes]) -> Retyped:
    """Find out which Parquet types of an input the output can keep, with a file without rows.

    Args:
        schema: Schema of the output.
        wanted: The types that the columns had in the input, by their names.
    """
    sink = io.BytesIO()
    pq.ParquetWriter(sink, schema).close()
    return with_types(footer_of(sink.getvalue()), wanted)


def special_type(column: ColumnTypes) -> str:
    """The name of a type that Parquet has and text has not, such as JSON; empty for others."""
    return next(filter(None, map(_special, column.leaves.values())), "")


def footer_of(tail: bytes) -> bytes:
    """Cut the footer out of a Parquet file.

    Args:
        tail: Content of the file, or the end of it.
    """
    length = int.from_bytes(tail[-TAIL_BYTES:][:4], "little")
    return tail[-TAIL_BYTES - length : -TAIL_BYTES]


def with_types(footer: bytes, wanted: Mapping[str, ColumnTypes]) -> Retyped:
    """Put Parquet types into a footer that Arrow wrote without them.

    Args:
        footer: Footer of the output.
        wanted: The types that the columns had in the input, by their names.

    Raises:
        MalformedError: It is not a footer.
    """
    elements, begin, end = _schema(footer)
    unchanged: list[str] = []
    lost: dict[str, str] = {}
    for name, written in _columns(elements).items():
        changed: set[str] = set()
        if name in wanted:
            changed, gone = _put_back(wanted[name], written)
            if gone is not None:
                lost[name] = _special(gone) or "a type that Arrow does not know"
        unchanged += [path for path in map(".".join, written.leaves) if path not in changed]
    footer = footer[:begin] + write_items(elements) + footer[end:]
    return Retyped(footer=footer, unchanged=unchanged, lost=lost)


def _put_back(wanted: ColumnTypes, written: ColumnTypes) -> tuple[set[str], Struct | None]:
    """Change the types of a column. Return the changed leaves, and a leaf without its type."""
    if len(wanted.leaves) != len(written.leaves):
        return set(), next(filter(_is_annotated, wanted.leaves.values()), None)
    changed: set[str] = set()
    gone: Struct | None = None
    pairs = zip(wanted.leaves.values(), written.leaves.items(), strict=True)
    for before, (path, after) in pairs:
        if not _is_dropped(before, after):
            continue
        if all(before.get(field) == after.get(field) for field in (_PHYSICAL, _LENGTH)):
            _copy(before, after)
            changed.add(".".join(path))
        else:
            gone = gone or before
    for path, group in written.groups.items():
        before = wanted.groups.get(path, {})
        if _LOGICAL in before and not _is_annotated(group):
            _copy(before, group)
    return changed, gone


def _is_dropped(before: Struct, after: Struct) -> bool:
    """Whether a leaf has lost its type, or has another one now."""
    if before.get(_PHYSICAL, (None, None))[1] == _INT96:
        return True
    if not _is_annotated(before):
        return False
    if not _is_annotated(after):
        return True
    if _converted(before) not in (None, _converted(after)):
        return True
    times = [_logical(leaf).get(_TIME) for leaf in (before, after)]
    if all(times):
        return times[0] != times[1]
    return _converted(after) == _UTF8 != _converted(before)


def _copy(before: Struct, after: Struct) -> None:
    for number in (_CONVERTED, _LOGICAL):
        after.pop(number, None)
        if number in before:
            after[number] = before[number]
    ordered = sorted(after.items())
    after.clear()
    after.update(ordered)


def _special(element: Struct) -> str:
    if element.get(_PHYSICAL, (None, None))[1] == _INT96:
        return INT96
    converted = _converted(element)
    if isinstance(converted, int) and converted in _CONVERTED_NAMES:
        return _CONVERTED_NAMES[converted]
    names = (_LOGICAL_NAMES[number] for number in _logical(element) if number in _LOGICAL_NAMES)
    return next(names, "")


def _is_annotated(element: Struct) -> bool:
    return _CONVERTED in element or _LOGICAL in element


def _logical(element: Struct) -> Struct:
    value = element.get(_LOGICAL, (None, {}))[1]
    return value if isinstance(value, dict) else {}


def _converted(element: Struct) -> object:
    return element.get(_CONVERTED, (None, None))[1]


def _schema(footer: bytes) -> tuple[Items, int, int]:
    elements, begin, end = read_field(footer, _SCHEMA)
    if not isinstance(elements, Items):
        raise MalformedError("a footer without a schema")
    return elements, begin, end


def _columns(elements: Items) -> dict[str, ColumnTypes]:
    walk = (element for element in elements.values if isinstance(element, dict))
    next(walk, None)  # the whole
    found = {}
    for element in walk:
        column = list(_column(element, walk, ()))
        found[_name(element)] = ColumnTypes(
            leaves={path: inner for path, inner in column if _CHILDREN not in inner},
            groups={path: inner for path, inner in column if _CHILDREN in inner},
        )
    return found


def _column(
    element: Struct, rest: Iterator[Struct], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Struct]]:
    """Yield an element and all elements below it, each with its path."""
    path = (*above, _name(element))
    yield path, element
    count = element.get(_CHILDREN, (None, 0))[1]
    for _ in range(count if isinstance(count, int) else 0):
        if (inner := next(rest, None)) is None:
            return
        yield from _column(inner, rest, path)


def _name(element: Struct) -> str:
    name = element.get(_NAME, (None, b""))[1]
    return name.decode(errors="replace") if isinstance(name, bytes) else ""
