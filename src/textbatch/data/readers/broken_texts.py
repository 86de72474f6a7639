"""Mends texts that are not UTF-8, in any column. Otherwise no reader could decode the output."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from textbatch.data.readers.column_names import shown
from textbatch.data.readers.text_column import decode_texts, is_string
from textbatch.errors import DataError
from textbatch.types import BoolArray


def mend_texts(table: pa.RecordBatch, file: object) -> tuple[pa.RecordBatch, BoolArray | None]:
    """Make all texts of a table valid UTF-8. Columns of bytes stay as they are.

    Args:
        table: Any columns.
        file: The file that it comes from, for messages.

    Returns:
        The table, and a mask of the rows that were changed, shape `(rows,)`; None if there are
        none. Bytes that are not UTF-8 become U+FFFD. A list or an object with such a text becomes
        null.

    Raises:
        DataError: A null is needed in a column that cannot have one.
    """
    columns = list(table.columns)
    broken = np.zeros(table.num_rows, bool)
    for index, field in enumerate(table.schema):
        if _is_valid(columns[index]):
            continue
        columns[index], bad = _mended(columns[index], f"{file} column {shown(field.name)}")
        if not field.nullable and columns[index].null_count:
            raise DataError(
                f"{file} column {shown(field.name)} has texts that are not UTF-8 inside, and no "
                "room for nulls",
                "leave it out with --columns",
            )
        broken |= bad
    if not broken.any():
        return table, None
    return pa.RecordBatch.from_arrays(columns, schema=table.schema), broken


def _mended(column: pa.Array, where: str) -> tuple[pa.Array, BoolArray]:
    value = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if is_string(value):
        _, bad = decode_texts(column)
        plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        data = plain.cast(pa.large_binary()).to_pylist()
        texts = [None if cell is None else cell.decode(errors="replace") for cell in data]
        return pa.array(texts, value).cast(column.type), bad
    bad = np.array([not _is_valid(column.take(pa.array([row]))) for row in range(len(column))])
    kept = column.take(pa.array(np.arange(len(column)), mask=bad))
    if not _is_valid(kept):
        raise DataError(f"{where} holds texts that are not UTF-8", "leave it out with --columns")
    return kept, bad


def _is_valid(column: pa.Array) -> bool:
    """Whether all texts in an array are UTF-8, at any depth."""
    kind = column.type
    if is_string(kind):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            return False
        return True
    return all(map(_is_valid, _children(column)))


def _children(column: pa.Array) -> list[pa.Array]:
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return [column.storage]
    if pa.types.is_dictionary(kind):
        return [column.dictionary]
    if pa.types.is_struct(kind):
        return [column.field(index) for index in range(kind.num_fields)]
    if pa.types.is_map(kind):
        return [column.keys, column.items]
    return [column.flatten()] if pa.types.is_nested(kind) else []
