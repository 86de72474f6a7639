"""Arrow arrays, nested or not: how many bytes their rows need when decoded, and the decoding.

With Parquet's dictionaries a few bytes can stand for gigabytes of text, in flat columns and inside
lists, structs and maps. So texts are read as dictionaries, measured, cut into pieces of limited
size, and only then decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.types import Int64Array

_TEXTS = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
_VIEWS = (pa.string_view(), pa.binary_view())
_OFFSET_BYTES = 4


def is_text(kind: pa.DataType) -> bool:
    """Whether a type holds strings or bytes of any length, in one of Arrow's forms."""
    return kind in _TEXTS or kind in _VIEWS


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is a list of any length. A map is one too."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind))


def leaf_types(kind: pa.DataType) -> Iterator[pa.DataType]:
    """Yield the types of the leaves of a column, in Parquet's order. A flat column is one leaf.

    Args:
        kind: The type of the column.

    Yields:
        The innermost types. An extension type gives its storage type, a dictionary stays as it is.
    """
    if isinstance(kind, pa.BaseExtensionType):
        yield from leaf_types(kind.storage_type)
    elif pa.types.is_struct(kind):
        for field in kind:
            yield from leaf_types(field.type)
    elif pa.types.is_map(kind):
        yield from leaf_types(kind.key_type)
        yield from leaf_types(kind.item_type)
    elif is_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from leaf_types(kind.value_type)
    else:
        yield kind


def leaves(array: pa.Array) -> Iterator[pa.Array]:
    """Yield the innermost arrays of an array, in the order of `leaf_types`.

    Args:
        array: Shape `(rows,)`.

    Yields:
        Arrays without nesting. Inside a list they may have any length.
    """
    for child in _children(array):
        yield from leaves(child)
    if not _children(array):
        yield array.storage if isinstance(array, pa.ExtensionArray) else array


def row_bytes(array: pa.Array) -> Int64Array:
    """Count the bytes that each row of an array needs when dictionaries are decoded.

    Args:
        array: Shape `(rows,)`.

    Returns:
        Bytes, without validity bits. Shape `(rows,)`.
    """
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return row_bytes(array.storage)
    if pa.types.is_dictionary(kind):
        if not is_text(kind.value_type):
            return row_bytes(array.indices)
        return _filled(_lengths(array.dictionary).take(array.indices))
    if is_text(kind):
        return _filled(_lengths(array))
    if pa.types.is_struct(kind):
        return total_bytes(_children(array), len(array))
    if pa.types.is_fixed_size_list(kind):
        (values,) = _children(array)
        return np.asarray(row_bytes(values).reshape(len(array), kind.list_size).sum(axis=1))
    if is_list(kind):
        (values,) = _children(array)
        offsets = _offsets(array)
        ends = np.concatenate([[0], np.cumsum(row_bytes(values))])
        sizes: Int64Array = np.diff(ends[offsets]) + _OFFSET_BYTES
        return sizes
    return np.full(len(array), fixed_bytes(kind), np.int64)


def total_bytes(columns: Sequence[pa.Array], rows: int) -> Int64Array:
    """Count the bytes that each row needs in several columns when they are decoded.

    Args:
        columns: Shape `(rows,)` each.
        rows: Number of rows.

    Returns:
        Bytes. Shape `(rows,)`.
    """
    total = np.zeros(rows, np.int64)
    for column in columns:
        total += row_bytes(column)
    return total


def fixed_bytes(kind: pa.DataType) -> int:
    """The bytes that a value of a flat type without texts needs, rounded up."""
    try:
        return -(-int(kind.bit_width) // 8)
    except ValueError:  # the type has no fixed length
        return 16


def decoded(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Decode the dictionaries of an array, at any depth, so that it has a given type.

    Args:
        array: What was read. Shape `(rows,)`.
        kind: The type that it gets. It may differ from the array's only in dictionaries.

    Returns:
        An array of type `kind`. Only the rows of the array itself are decoded. Shape `(rows,)`.
    """
    if array.type == kind:
        return array
    if isinstance(kind, pa.BaseExtensionType):
        storage = array.storage if isinstance(array, pa.ExtensionArray) else array
        return pa.ExtensionArray.from_storage(kind, decoded(storage, kind.storage_type))
    children = _children(array)
    if not children:
        plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
        return plain.cast(kind)
    if pa.types.is_struct(kind):
        values = [decoded(child, kind.field(i).type) for i, child in enumerate(children)]
    elif pa.types.is_map(kind):
        entries = pa.struct([kind.key_field, kind.item_field])
        values = [decoded(children[0], entries)]
    else:
        values = [decoded(children[0], kind.value_type)]
    buffers = [array.is_valid().buffers()[1] if array.null_count else None]
    if is_list(kind):
        width = np.int64 if pa.types.is_large_list(kind) else np.int32
        buffers.append(pa.py_buffer(_offsets(array).astype(width)))
    return pa.Array.from_buffers(kind, len(array), buffers, children=values)


def _children(array: pa.Array) -> list[pa.Array]:
    """The arrays inside an array, cut to its rows; none for a flat array."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return _children(array.storage)
    if pa.types.is_struct(kind):
        return [array.field(i) for i in range(kind.num_fields)]
    if pa.types.is_fixed_size_list(kind):
        size = kind.list_size
        return [array.values.slice(array.offset * size, len(array) * size)]
    if is_list(kind):
        offsets = array.offsets
        first, last = offsets[0].as_py(), offsets[-1].as_py()
        return [array.values.slice(first, last - first)]
    return []


def _offsets(array: pa.Array) -> Int64Array:
    """The position where each row of a list array begins among its children, and the end."""
    offsets: Int64Array = array.offsets.to_numpy().astype(np.int64)
    offsets -= offsets[0]
    return offsets


def _lengths(array: pa.Array) -> pa.Array:
    if array.type in _VIEWS:
        array = array.cast(pa.large_binary())
    return pc.binary_length(array)


def _filled(lengths: pa.Array) -> Int64Array:
    filled: Int64Array = pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return filled
