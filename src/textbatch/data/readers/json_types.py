"""The types of columns in JSON Lines: one for each column, over all files of a job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from textbatch.data.readers.column_names import shown, shown_type
from textbatch.data.readers.json_fractions import Rounded
from textbatch.errors import DataError

NO_TYPES = pa.schema([])
#: Arrow writes deeper schemas, but reads none of them.
_PARQUET_LEVELS = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonTypes:
    """What a first reading of a file has found.

    Attributes:
        schema: Types of the columns; null where no row has a value.
        rows: How many there are.
        rounded: Decimals that a double does not hold, by the names of the columns; None for none.
    """

    schema: pa.Schema = NO_TYPES
    rows: int = 0
    rounded: Mapping[str, Rounded] | None = None


def strings_kept(schema: pa.Schema) -> pa.Schema:
    """Change types as Arrow finds them: what looks like dates stays text."""
    return _each(schema, _text_for_dates)


def settled(schema: pa.Schema) -> pa.Schema:
    """The types to read with. A column without any value is text, which later files mostly have."""
    return _each(schema, lambda kind: pa.string() if pa.types.is_null(kind) else kind)


def plain(schema: pa.Schema) -> pa.Schema:
    """The types of a Parquet file that was made of JSON Lines, as those of JSON Lines are."""
    return _each(schema, lambda kind: kind)


def united(schemas: list[pa.Schema]) -> pa.Schema:
    """Make one schema for all: null fits into any type, integers into doubles.

    Raises:
        pa.ArrowInvalid, pa.ArrowTypeError: There is no such schema.
    """
    return pa.unify_schemas(schemas, promote_options="permissive")


def types_of_job(
    files: Iterable[tuple[object, pa.Schema]],
    there: pa.Schema | None = None,
    refuse: Callable[[object, DataError], None] | None = None,
) -> pa.Schema:
    """One schema for all files of a job, so that its parts can be read together.

    Args:
        files: Name and types of each.
        there: Types of the columns in parts that are there already, which stay as they are.
        refuse: Gets the name of a file that does not go with those before it, and why; the file
            is then left out. None raises the error.

    Returns:
        All columns, with types as `settled` makes them.

    Raises:
        DataError: Files do not go together, or not with what is there; the message tells which
            column.
    """
    whole = NO_TYPES
    first: dict[str, object] = {}
    for name, schema in files:
        try:
            try:
                larger = united([whole, schema])
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                raise _apart(name, schema, whole, first) from None
            _check_there(name, schema, larger, there)
        except DataError as error:
            if refuse is None:
                raise
            refuse(name, error)
            continue
        whole = larger
        for field in schema:
            first.setdefault(field.name, name)
    return settled(whole if there is None else united([there, whole]))


def _check_there(
    name: object, schema: pa.Schema, whole: pa.Schema, there: pa.Schema | None
) -> None:
    """Check that a file, with those before it, goes with the parts that are there."""
    for field in there or ():
        index = whole.get_field_index(field.name)
        if field.name in schema.names and not _fits(whole.field(index).type, field.type):
            raise DataError(
                f"{name} has {shown_type(settled(whole).field(index).type)} in column "
                f"{shown(field.name)} where the parts that are there have {shown_type(field.type)}",
                "add --overwrite (without --incremental) to score all files again",
            )


def _apart(
    name: object, schema: pa.Schema, whole: pa.Schema, first: dict[str, object]
) -> DataError:
    for field in schema:
        index = whole.get_field_index(field.name)
        if index < 0:
            continue
        before = whole.field(index)
        try:
            united([pa.schema([before]), pa.schema([field])])
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return DataError(
                f"{name} has {shown_type(field.type)} in column {shown(field.name)} where "
                f"{first[field.name]} has {shown_type(before.type)}",
                "give the column one type in all files",
            )
    return DataError(f"{name} has other types than the files before it", "give each column one")


def _fits(kind: pa.DataType, there: pa.DataType) -> bool:
    """Whether values of one type can be read as another; an object may have further keys."""
    if pa.types.is_null(kind) or kind == there:
        return True
    if pa.types.is_struct(kind) and pa.types.is_struct(there):
        return all(
            _fits(kind.field(field.name).type, field.type)
            for field in there
            if kind.get_field_index(field.name) >= 0
        )
    if pa.types.is_list(kind) and pa.types.is_list(there):
        return _fits(kind.value_type, there.value_type)
    return bool(pa.types.is_integer(kind) and pa.types.is_floating(there))


def unwritable(kind: pa.DataType) -> str:
    """Why Parquet cannot hold a type, for a message; empty if it can.

    Args:
        kind: The type of a column.
    """
    if _has_empty_objects(kind):
        return "holds objects without any key, {}, which Parquet has no type for"
    if _levels(kind) > _PARQUET_LEVELS:
        return "nests deeper than readers of Parquet go"
    return ""


def _has_empty_objects(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return not kind.num_fields or any(_has_empty_objects(field.type) for field in kind)
    return bool(pa.types.is_list(kind)) and _has_empty_objects(kind.value_type)


def _levels(kind: pa.DataType) -> int:
    """How deep the schema of a type is in Parquet, where a list takes two levels."""
    if pa.types.is_struct(kind):
        return 1 + max((_levels(field.type) for field in kind), default=0)
    return 2 + _levels(kind.value_type) if pa.types.is_list(kind) else 1


def _each(schema: pa.Schema, change: Callable[[pa.DataType], pa.DataType]) -> pa.Schema:
    return pa.schema(_fields(schema, change))


def _fields(
    schema: pa.Schema | pa.StructType, change: Callable[[pa.DataType], pa.DataType]
) -> Iterator[pa.Field]:
    for field in schema:
        yield pa.field(field.name, _changed(field.type, change))


def _changed(kind: pa.DataType, change: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_changed(kind.value_type, change))
    if pa.types.is_struct(kind):
        return pa.struct(list(_fields(kind, change)))
    return change(kind)


def _text_for_dates(kind: pa.DataType) -> pa.DataType:
    dated = pa.types.is_timestamp(kind) or pa.types.is_time(kind) or pa.types.is_date(kind)
    return pa.string() if dated else kind
