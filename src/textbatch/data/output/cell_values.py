"""Values of Parquet's types as texts, and as values that JSON has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.nested import is_text

_OUT_OF_RANGE = "<value out of range"


class NoTextError(ValueError):
    """A value, or a whole type, has no text."""


def check_has_text(kind: pa.DataType) -> None:
    """Check that a type can be written as text.

    Args:
        kind: The type of a column.

    Raises:
        NoTextError: It holds bytes, or is a type that has no text.
    """
    for leaf in _leaf_types(kind):
        if _is_uuid(leaf):
            continue
        leaf = _storage(leaf)
        if _is_binary(leaf):
            raise NoTextError("holds bytes, which are no text")
        if pa.types.is_interval(leaf) or pa.types.is_union(leaf):
            raise NoTextError(f"is of the type {leaf}, which has no text")


def is_own_in_text(kind: pa.DataType, *, json: bool) -> bool:
    """Whether a type is one that the format has, so that its values do not become texts.

    Args:
        kind: The type of a column.
        json: Whether the format is JSON Lines, which has truths, numbers, lists and objects. CSV
            has texts only.
    """
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if is_text(kind):
        return True
    if not json or isinstance(kind, pa.BaseExtensionType) or pa.types.is_map(kind):
        return False
    if pa.types.is_struct(kind) or _is_list(kind):
        inner = (kind.field(index).type for index in range(kind.num_fields))
        return all(is_own_in_text(one, json=True) for one in inner)
    types = pa.types
    return bool(
        types.is_boolean(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_null(kind)
    )


def texts_of(column: pa.Array) -> pa.Array:
    """The texts of a column without nested values; null stays null.

    Numbers get the fewest digits that tell them from all others of their type. Times of a zone
    are in UTC. Shape `(rows,)`.

    Raises:
        NoTextError: A time is outside the years that have a text.
    """
    column = _unpacked(column)
    kind = column.type
    if pa.types.is_decimal(kind):
        values = (None if value is None else format(value, "f") for value in column.to_pylist())
        return pa.array(values, pa.large_string())
    if pa.types.is_float16(kind):
        column = column.cast(pa.float32())
    if pa.types.is_timestamp(kind) and kind.tz:
        column = column.cast(pa.timestamp(kind.unit, "UTC"))
    texts = column.cast(pa.large_string())
    if pa.types.is_temporal(kind) and pc.any(pc.starts_with(texts, _OUT_OF_RANGE)).as_py():
        raise NoTextError("holds a time that has no text")
    return texts


def json_values(column: pa.Array) -> pa.Array:
    """A column as values that JSON has: truths, numbers, texts, lists and objects.

    Times, decimals and UUIDs become texts. A map becomes a list of objects with `key` and `value`.
    Shape `(rows,)`.

    Raises:
        NoTextError: A time is outside the years that have a text.
    """
    column = _unpacked(column)
    kind = column.type
    if pa.types.is_struct(kind):
        fields = [json_values(child) for child in column.flatten()]
        names = [kind.field(index).name for index in range(kind.num_fields)]
        return pa.StructArray.from_arrays(fields, names=names, mask=column.is_null())
    if pa.types.is_map(kind):
        return json_values(_pairs(column))
    if _is_list(kind):
        lengths = pc.fill_null(pc.list_value_length(column), 0)
        offsets = np.zeros(len(column) + 1, np.int64)
        np.cumsum(lengths.to_numpy(zero_copy_only=False), out=offsets[1:])
        values = json_values(column.flatten())
        return pa.LargeListArray.from_arrays(pa.array(offsets), values, mask=column.is_null())
    if pa.types.is_floating(kind) and not pa.types.is_float64(kind):
        # The shortest text of a float32, as a double, is written with the same few digits.
        return texts_of(column).cast(pa.float64())
    plain = pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_float64(kind)
    if plain or pa.types.is_null(kind) or pa.types.is_large_string(kind):
        return column
    return texts_of(column)


def is_nested(kind: pa.DataType) -> bool:
    """Whether values of a type are lists, maps or objects."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_nested(_storage(kind)))


def _unpacked(column: pa.Array) -> pa.Array:
    """The values without dictionaries and names of extensions."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_uuid(column.type):
        values = column.to_pylist()
        return pa.array([None if one is None else str(one) for one in values], pa.large_string())
    while isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column


def _pairs(column: pa.MapArray) -> pa.ListArray:
    """A map as lists of keys with their values."""
    # What is taken has no offset, whatever the column was cut from.
    column = column.take(pa.array(np.arange(len(column))))
    pairs = pa.StructArray.from_arrays([column.keys, column.items], names=["key", "value"])
    return pa.ListArray.from_arrays(column.offsets, pairs, mask=column.is_null())


def _leaf_types(kind: pa.DataType) -> Iterator[pa.DataType]:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    inner = _storage(kind)
    if pa.types.is_struct(inner) and len({field.name for field in inner}) < inner.num_fields:
        raise NoTextError("holds objects with two keys of one name")
    if _is_uuid(kind) or not pa.types.is_nested(inner) or pa.types.is_union(inner):
        yield kind
        return
    for index in range(inner.num_fields):
        yield from _leaf_types(inner.field(index).type)


def _storage(kind: pa.DataType) -> pa.DataType:
    while isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    return kind


def _is_uuid(kind: pa.DataType) -> bool:
    return getattr(kind, "extension_name", "") == "arrow.uuid"


def _is_list(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )


def _is_binary(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )
