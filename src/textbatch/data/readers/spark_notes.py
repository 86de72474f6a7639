"""What Spark notes in a footer about timestamps, for files whose INT96 become other timestamps.

Spark takes INT96 for a moment in time. They become microseconds without a time zone, which Spark
takes for a time on a calendar, unless its own copy of the schema says otherwise. And in which
calendar a file counts, it notes apart for INT96 and for all else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import pyarrow as pa

from textbatch.data.readers.nested import is_text
from textbatch.data.readers.row_groups import Leaf

#: Spark's copy of the schema.
SPARK_ROW = b"org.apache.spark.sql.parquet.row.metadata"
_VERSION = b"org.apache.spark.version"
_OLD_INT96, _OLD_OTHERS = b"org.apache.spark.legacyINT96", b"org.apache.spark.legacyDateTime"

Json: TypeAlias = "str | bool | dict[str, Json] | list[Json]"

_NAMES = {
    pa.bool_(): "boolean",
    pa.int8(): "byte",
    pa.int16(): "short",
    pa.int32(): "integer",
    pa.int64(): "long",
    pa.uint8(): "short",
    pa.uint16(): "integer",
    pa.uint32(): "long",
    pa.uint64(): "decimal(20,0)",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.large_string(): "string",
    pa.string_view(): "string",
    pa.binary(): "binary",
    pa.large_binary(): "binary",
    pa.binary_view(): "binary",
    pa.date32(): "date",
    pa.date64(): "date",
}


def spark_type(kind: pa.DataType, moments: Iterator[bool]) -> Json | None:
    """What Spark calls a type.

    Args:
        kind: The type.
        moments: For each leaf, in order, whether its timestamps are moments all the same, although
            they have no time zone.

    Returns:
        As in Spark's copy of the schema; None if Spark does not read it.
    """
    if pa.types.is_struct(kind):
        fields = [spark_field(field.name, spark_type(field.type, moments)) for field in kind]
        known: list[Json] = [field for field in fields if field is not None]
        return {"type": "struct", "fields": known} if len(known) == len(fields) else None
    if pa.types.is_map(kind):
        key, value = spark_type(kind.key_type, moments), spark_type(kind.item_type, moments)
        if key is None or value is None:
            return None
        return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = spark_type(kind.value_type, moments)
        return inner and {"type": "array", "elementType": inner, "containsNull": True}
    if pa.types.is_dictionary(kind) and is_text(kind.value_type):
        return spark_type(kind.value_type, moments)
    is_moment = next(moments)
    if pa.types.is_timestamp(kind) and kind.unit in ("ms", "us"):
        return "timestamp" if kind.tz or is_moment else "timestamp_ntz"
    if pa.types.is_decimal128(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_duration(kind):
        return "long"  # Parquet has no such type
    return _NAMES.get(kind)


def spark_field(name: str, kind: Json | None) -> dict[str, Json] | None:
    """A field of Spark's copy of the schema; None if Spark does not read it.

    Args:
        name: Name of the column.
        kind: Its type as Spark writes it in JSON; None if Spark has no such type.
    """
    return None if kind is None else {"name": name, "type": kind, "nullable": True, "metadata": {}}


def with_spark_notes(schema: pa.Schema, leaves: Sequence[Leaf]) -> tuple[pa.Schema, list[str]]:
    """Tell Spark what the timestamps are that were INT96.

    Args:
        schema: A file's, with what stands in its footer.
        leaves: Of all its columns.

    Returns:
        The schema with other entries for the footer, and what cannot be told.
    """
    if not any(leaf.int96 for leaf in leaves):
        return schema, []
    entries = dict(schema.metadata or {})
    if SPARK_ROW not in entries:
        moments = iter([leaf.int96 for leaf in leaves])
        fields = [spark_field(field.name, spark_type(field.type, moments)) for field in schema]
        if None not in fields:
            row = {"type": "struct", "fields": fields}
            entries[SPARK_ROW] = json.dumps(row, ensure_ascii=False).encode()
    version = entries.get(_VERSION, b"").decode(errors="replace")
    old_int96 = _OLD_INT96 in entries or version.startswith(("2.", "3.0"))
    old_others = _OLD_OTHERS in entries or version.startswith("2.")
    notes = []
    if old_int96 != old_others:
        others = any(pa.types.is_temporal(leaf.kind) and not leaf.int96 for leaf in leaves)
        if others:
            notes.append("Spark may take dates before 1900 for others: two calendars in one file")
        elif old_int96:
            entries[_OLD_OTHERS] = b""
        else:
            del entries[_OLD_OTHERS]
    return schema.with_metadata(entries), notes
