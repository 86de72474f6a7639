"""A Parquet footer without the types of columns that Arrow does not know.

Arrow refuses a whole file for one such column, in the words of damage. Here it becomes a column of
bytes in the footer, so that all others can be read, and its name is told.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.readers.arrow_schema import read_footer, with_footer
from textbatch.data.readers.thrift_compact import Items, Kind, MalformedError, Struct

# Numbers of fields in parquet.thrift.
_SCHEMA, _ROW_GROUPS, _COLUMN_ORDERS = 2, 4, 7
_PHYSICAL, _REPETITION, _NAME, _CHILDREN, _CONVERTED = 1, 3, 4, 5, 6
_COLUMNS, _META_DATA = 1, 3
_CHUNK_PHYSICAL, _STATISTICS, _SIZES, _GEOMETRY = 1, 12, 16, 17
#: The last of the physical types (FIXED_LEN_BYTE_ARRAY) and converted types (INTERVAL).
_LAST_PHYSICAL, _LAST_CONVERTED = 7, 21
_BYTES = 6


def without_unknown_types(file: pa.NativeFile) -> tuple[pq.FileMetaData, frozenset[str]] | None:
    """Read a footer whose columns have types that this version of Arrow does not know.

    Args:
        file: The file.

    Returns:
        The footer, and the names of those columns, which must not be read; None if there is none.

    Raises:
        ArrowException, OSError: Something else is wrong with it.
    """
    try:
        footer = read_footer(file)
    except MalformedError:
        return None
    columns: set[str] = set()
    changed: set[int] = set()
    for number, (column, leaf) in enumerate(_leaves(footer)):
        if _number(leaf, _PHYSICAL) <= _LAST_PHYSICAL and (
            _number(leaf, _CONVERTED) <= _LAST_CONVERTED
        ):
            continue
        columns.add(column)
        changed.add(number)
        for field in leaf.keys() - {_PHYSICAL, _REPETITION, _NAME}:
            del leaf[field]
        leaf[_PHYSICAL] = (Kind.I32, _BYTES)
    if not changed:
        return None
    for group in _structs(footer, _ROW_GROUPS):
        for number, chunk in enumerate(_structs(group, _COLUMNS)):
            known = chunk.get(_META_DATA, (None, None))[1]
            if number in changed and isinstance(known, dict):
                known[_CHUNK_PHYSICAL] = (Kind.I32, _BYTES)
                for field in (_STATISTICS, _SIZES, _GEOMETRY):
                    known.pop(field, None)
    footer.pop(_COLUMN_ORDERS, None)
    return with_footer(footer), frozenset(columns)


def _leaves(footer: Struct) -> Iterator[tuple[str, Struct]]:
    """The innermost columns in order, each with the name of its column."""
    elements = iter(_structs(footer, _SCHEMA))
    next(elements, None)  # the whole
    column, open_elements = "", 0
    for element in elements:
        if not open_elements:
            name = element.get(_NAME, (None, b""))[1]
            column = name.decode(errors="replace") if isinstance(name, bytes) else ""
            open_elements = 1
        children = _number(element, _CHILDREN)
        open_elements += children - 1
        if not children:
            yield column, element


def _number(struct: Struct, field: int) -> int:
    value = struct.get(field, (None, 0))[1]
    return value if isinstance(value, int) else 0


def _structs(struct: Struct, field: int) -> list[Struct]:
    found = struct.get(field, (None, None))[1]
    values = found.values if isinstance(found, Items) else []
    return [value for value in values if isinstance(value, dict)]
