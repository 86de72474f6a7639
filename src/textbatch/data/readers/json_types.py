"""The types of columns in JSON Lines: one for each column, over all files of a job."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa


def strings_kept(schema: pa.Schema) -> pa.Schema:
    """Change types as Arrow finds them: what looks like dates stays text."""
    return _each(schema, _text_for_dates)


def settled(schema: pa.Schema) -> pa.Schema:
    """The types to read with. A column without any value is text, which later files mostly have."""
    return _each(schema, lambda kind: pa.string() if pa.types.is_null(kind) else kind)


def united(schemas: list[pa.Schema]) -> pa.Schema:
    """Make one schema for all: null fits into any type, integers into doubles.

    Raises:
        pa.ArrowInvalid, pa.ArrowTypeError: There is no such schema.
    """
    return pa.unify_schemas(schemas, promote_options="permissive")


def has_empty_objects(kind: pa.DataType) -> bool:
    """Whether a type has objects without keys. Parquet has no type for them."""
    if pa.types.is_struct(kind):
        return not kind.num_fields or any(has_empty_objects(field.type) for field in kind)
    return bool(pa.types.is_list(kind)) and has_empty_objects(kind.value_type)


def _each(schema: pa.Schema, change: Callable[[pa.DataType], pa.DataType]) -> pa.Schema:
    return pa.schema([pa.field(field.name, _changed(field.type, change)) for field in schema])


def _changed(kind: pa.DataType, change: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_changed(kind.value_type, change))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, _changed(f.type, change)) for f in kind])
    return change(kind)


def _text_for_dates(kind: pa.DataType) -> pa.DataType:
    dated = pa.types.is_timestamp(kind) or pa.types.is_time(kind) or pa.types.is_date(kind)
    return pa.string() if dated else kind
