"""Turns a text column of any Arrow type into plain strings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.column_names import shown_type
from textbatch.data.readers.nested import is_list, is_text
from textbatch.errors import DataError
from textbatch.types import BoolArray


def check_text_type(kind: pa.DataType, where: str, join_lists: str | None = None) -> None:
    """Check that a column can hold texts.

    Args:
        kind: Type of the column.
        where: File and column, for the message.
        join_lists: See `joined_lists`.

    Raises:
        DataError: The column holds numbers, dates, lists or anything else that is not text.
    """
    value = stored_type(kind)
    if _is_list_of_texts(value):
        if join_lists is not None:
            return
        raise DataError(
            f"{where} holds lists of strings, not text",
            "name a text column, or join them with --join-lists and the text to put between",
        )
    if not (is_text(value) or pa.types.is_null(value)):
        raise DataError(
            f"{where} holds {shown_type(kind)}, not text", "name a text column or cast it"
        )


def stored_type(kind: pa.DataType) -> pa.DataType:
    """The type of what a column stores: of a dictionary its values, of JSON plain strings.

    Args:
        kind: Type of the column.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return stored_type(kind.storage_type)
    return stored_type(kind.value_type) if pa.types.is_dictionary(kind) else kind


def joined_lists(column: pa.Array, join_lists: str | None) -> pa.Array:
    """Join the strings of each row, where a text column holds lists of them.

    Nulls in a list are skipped. A null list is a null text, an empty one an empty text.

    Args:
        column: Texts, or lists of texts. Shape `(rows,)`.
        join_lists: What is put between; None leaves a column as it is.

    Returns:
        Texts for `decode_texts`: bytes where the column held lists. Shape `(rows,)`.
    """
    while isinstance(column, pa.ExtensionArray):
        column = column.storage
    if join_lists is None or not _is_list_of_texts(column.type):
        return column
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    values = _as_bytes(column.flatten())
    present = values.is_valid().to_numpy(zero_copy_only=False)
    rows = np.repeat(np.arange(len(column)), lengths)[present]
    offsets = np.zeros(len(column) + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=len(column)), out=offsets[1:])
    lists = pa.LargeListArray.from_arrays(
        pa.array(offsets), values.drop_null(), mask=column.is_null()
    )
    return pc.binary_join(lists, pa.scalar(join_lists.encode(), pa.large_binary()))


def _as_bytes(values: pa.Array) -> pa.Array:
    while isinstance(values, pa.ExtensionArray):
        values = values.storage
    if pa.types.is_dictionary(values.type):
        values = _as_bytes(values.dictionary).take(values.indices)
    return values.cast(pa.large_binary())


def _is_list_of_texts(kind: pa.DataType) -> bool:
    types = pa.types
    if types.is_map(kind) or not (is_list(kind) or types.is_fixed_size_list(kind)):
        return False
    value = stored_type(kind.value_type)
    return is_text(value) or types.is_null(value)


def decode_texts(column: pa.Array) -> tuple[pa.Array, BoolArray]:
    """Turn a text column into valid UTF-8 strings.

    Args:
        column: Strings, bytes, a dictionary of these, or a type that is stored like this, such as
            JSON. Shape `(rows,)`.

    Returns:
        The strings, and a mask of the rows that cannot be decoded. A string is null if the row has
        no text or cannot be decoded. Both have the shape `(rows,)`.
    """
    if isinstance(column, pa.ExtensionArray):
        return decode_texts(column.storage)
    if pa.types.is_dictionary(column.type):
        values, bad_values = decode_texts(column.dictionary)
        indices = column.indices
        texts = values.take(indices)
        if not bad_values.any():
            return texts, np.zeros(len(column), bool)
        present = indices.is_valid().to_numpy(zero_copy_only=False)
        positions = indices.fill_null(0).to_numpy(zero_copy_only=False)
        return texts, bad_values[positions] & present
    data = column.cast(pa.large_binary())
    try:
        texts = data.cast(pa.large_string())
        return texts, np.zeros(len(column), bool)
    except pa.ArrowInvalid:
        return _decode_rows(data)


def without(texts: pa.Array, null_text: Sequence[str]) -> pa.Array:
    """Make texts null that mean a missing text.

    Args:
        texts: Strings. Shape `(rows,)`.
        null_text: Texts that mean a missing text.

    Returns:
        Strings. Shape `(rows,)`.
    """
    if not null_text:
        return texts
    return pc.if_else(pc.is_in(texts, pa.array(null_text, texts.type)), None, texts)


def _decode_rows(data: pa.Array) -> tuple[pa.Array, BoolArray]:
    # Only chunks with a bad row come here, so a loop is fast enough.
    texts: list[str | None] = []
    bad = np.zeros(len(data), bool)
    for row, value in enumerate(data.to_pylist()):
        try:
            texts.append(None if value is None else value.decode("utf-8"))
        except UnicodeDecodeError:
            texts.append(None)
            bad[row] = True
    return pa.array(texts, pa.large_string()), bad


def is_string(kind: pa.DataType) -> bool:
    """Whether a type is one of Arrow's types of text.

    Args:
        kind: The type.
    """
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
