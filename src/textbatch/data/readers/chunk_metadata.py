"""Checks the description of column chunks in a footer, before Arrow is asked for it.

Arrow checks it too, but where Python asks for a column chunk, its exception ends the process.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.readers.thrift_compact import Items, MalformedError, Struct, read_struct

#: A longer footer is not checked: that takes about a second for ten thousand column chunks.
_LONGEST = 16 << 20
_TAIL_BYTES = 8
# Numbers of fields in parquet.thrift.
_ROW_GROUPS, _COLUMNS, _META_DATA, _CRYPTO, _SIZES = 4, 1, 3, 8, 16
_UNENCODED_BYTES, _REPETITION, _DEFINITION = 1, 2, 3


def check_chunks(file: pa.NativeFile, metadata: pq.FileMetaData) -> None:
    """Check what the footer says of each column chunk.

    Args:
        file: The file.
        metadata: Its footer.

    Raises:
        ArrowInvalid: Arrow would refuse a column chunk.
    """
    # Not the footer's own size: it may have been changed for Arrow.
    end = file.size() - _TAIL_BYTES
    length = int.from_bytes(file.read_at(_TAIL_BYTES, end)[:4], "little")
    if length > min(_LONGEST, end):
        return
    start = end - length
    try:
        footer, _ = read_struct(file.read_at(length, start))
    except MalformedError:
        # Arrow has read it. fastparquet, for one, writes empty lists in a way of its own.
        return
    levels = [
        (column.max_repetition_level, column.max_definition_level, column.physical_type)
        for column in map(metadata.schema.column, range(len(metadata.schema)))
    ]
    for group in _structs(footer, _ROW_GROUPS):
        for chunk, (repetition, definition, physical) in zip(
            _structs(group, _COLUMNS), levels, strict=False
        ):
            if _CRYPTO in chunk:
                raise pa.ArrowInvalid("a column is encrypted")
            sizes = _struct(_struct(chunk, _META_DATA), _SIZES)
            _check_histogram(sizes, _REPETITION, repetition)
            _check_histogram(sizes, _DEFINITION, definition)
            if _UNENCODED_BYTES in sizes and physical != "BYTE_ARRAY":
                raise pa.ArrowInvalid("sizes of texts in a column without texts")


def _check_histogram(sizes: Struct, field: int, deepest: int) -> None:
    _, found = sizes.get(field, (None, None))
    if isinstance(found, Items) and found.values and len(found.values) != deepest + 1:
        raise pa.ArrowInvalid("a histogram of levels has another length than the column has levels")


def _struct(struct: Struct, field: int) -> Struct:
    _, found = struct.get(field, (None, None))
    return found if isinstance(found, dict) else {}


def _structs(struct: Struct, field: int) -> list[Struct]:
    _, found = struct.get(field, (None, None))
    values = found.values if isinstance(found, Items) else []
    return [value for value in values if isinstance(value, dict)]
