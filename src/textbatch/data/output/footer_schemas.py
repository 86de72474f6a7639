"""Second copies of the schema in a Parquet footer, which other tools write for themselves.

Spark, for example, believes its own copy, and does not see a column that the copy lacks. A copy
that we can extend gets the added columns, and loses those that are left out. Any other copy is
dropped, so that its reader uses Parquet's own schema. All other entries stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeAlias

import pyarrow as pa

from textbatch.data.readers.spark_notes import SPARK_ROW, spark_field, spark_type

#: Called with the parsed schema of another tool, the kept columns and the added ones. Returns the
#: new schema, or None if it cannot be kept.
_Extend: TypeAlias = "Callable[[Any, Sequence[pa.Field], Sequence[pa.Field]], Any]"

#: Schemas of Iceberg, Avro, Hive, Pig, GDAL and others, by name. Hive cuts its schema into parts.
_OTHER = re.compile(r"(?:.*[.:])?schema(?:\.part\.\d+|\.numparts)?", re.IGNORECASE | re.DOTALL)
#: Schemas with other names: of Protocol Buffers and Thrift.
_DESCRIPTORS = ("parquet.proto.", "parquet.thrift.", "thrift.", "scrooge.")


def carried_entries(
    entries: Mapping[bytes, bytes], kept: Sequence[pa.Field], added: Sequence[pa.Field]
) -> dict[bytes, bytes]:
    """Select the entries of an input's footer that its output keeps.

    Args:
        entries: Entries of the input.
        kept: Columns of the input that the output has.
        added: Columns that the output adds.
    """
    carried = {}
    for key, value in entries.items():
        name = key.decode(errors="replace")
        if name.startswith("textbatch."):  # from an earlier run; they would hide those of this run
            continue
        if name in _EXTENDED:
            changed = _changed(_EXTENDED[name], value, kept, added)
            if changed is not None:
                carried[key] = changed
        elif not _OTHER.fullmatch(name) and not name.startswith(_DESCRIPTORS):
            carried[key] = value
    return carried


def _changed(
    extend: _Extend, value: bytes, kept: Sequence[pa.Field], added: Sequence[pa.Field]
) -> bytes | None:
    try:
        changed = extend(json.loads(value), kept, added)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # the tool does not write it like this
    if changed is None:
        return None
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":")).encode()


def _spark(row: Any, kept: Sequence[pa.Field], added: Sequence[pa.Field]) -> Any:  # noqa: ANN401
    """Extend Spark's schema: Spark's names of types, in the order of the columns."""
    known = {field["name"]: field for field in row["fields"]}
    fields = []
    for field in [*kept, *added]:
        if field.name in known and field not in added:
            fields.append(known[field.name])
        elif field in added or field.type == pa.string():
            fields.append(spark_field(field.name, spark_type(field.type, _no_moments())))
        else:
            return None  # the copy has other columns
    return {**row, "fields": fields}


def _no_moments() -> Iterator[bool]:
    """Of what we add nothing is a moment in time."""
    return repeat(False)  # noqa: FBT003 - the value of an iterator


def _pandas(copy: Any, kept: Sequence[pa.Field], added: Sequence[pa.Field]) -> Any:  # noqa: ANN401
    """Extend the schema of pandas: its index, and NumPy's names of types."""
    names = {field.name for field in kept}
    columns = [c for c in copy["columns"] if c.get("field_name", c.get("name")) in names]
    for field in added:
        columns.append(
            {
                "name": field.name,
                "field_name": field.name,
                "pandas_type": _pandas_type(field.type),
                "numpy_type": "float32" if field.type == pa.float32() else "object",
                "metadata": None,
            }
        )
    # Leave out an index that counts rows from 0: it is the default, and rows may be fewer now.
    index = [
        column
        for column in copy.get("index_columns", [])
        if (not _counts_rows(column) if isinstance(column, dict) else column in names)
    ]
    return {**copy, "columns": columns, "index_columns": index}


def _counts_rows(index: Mapping[str, object]) -> bool:
    return (index.get("start"), index.get("step"), index.get("name")) == (0, 1, None)


def _pandas_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return f"list[{_pandas_type(kind.value_type)}]"
    return "float32" if kind == pa.float32() else "unicode"


def _geo(copy: Any, kept: Sequence[pa.Field], _: object) -> Any:  # noqa: ANN401
    """Keep the schema of GeoParquet if all its columns are there. It has only some columns."""
    names = {field.name for field in kept}
    told = {copy["primary_column"], *copy["columns"]}
    for column in copy["columns"].values():
        for boxes in column.get("covering", {}).values():
            told |= {path[0] for path in boxes.values()}
    return copy if told <= names else None


def _huggingface(copy: Any, kept: Sequence[pa.Field], added: Sequence[pa.Field]) -> Any:  # noqa: ANN401
    """Extend the schema of Hugging Face's datasets. It derives the features that are missing."""
    names = {field.name for field in kept}
    features = {name: kind for name, kind in copy["info"]["features"].items() if name in names}
    for field in added:
        if field.type == pa.float32():
            features[field.name] = {"dtype": "float32", "_type": "Value"}
        elif pa.types.is_dictionary(field.type):
            features[field.name] = {"dtype": "string", "_type": "Value"}
    return {**copy, "info": {**copy["info"], "features": features}}


_EXTENDED: dict[str, _Extend] = {
    SPARK_ROW.decode(): _spark,
    "pandas": _pandas,
    "geo": _geo,
    "huggingface": _huggingface,
}
