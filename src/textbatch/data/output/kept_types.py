"""Which columns come out with another type than they went in."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from textbatch.data.output.output_format import OutputFormat
from textbatch.data.readers.column_names import looks_like_data, shown, shown_type
from textbatch.data.readers.parquet_types import INT96, ColumnTypes, special_type, tried_types

_SHOWN_COLUMNS = 20


def changed_types(
    schema: pa.Schema, types: Mapping[str, ColumnTypes], output: OutputFormat
) -> dict[str, str]:
    """Find the columns whose types an output does not keep.

    Args:
        schema: The columns that are passed through.
        types: Parquet's own types of them, if Arrow does not know all.
        output: What is written.

    Returns:
        The type of each, for a message, by the names of the columns.
    """
    if not output.is_text:
        return tried_types(schema, types).lost if types else {}
    from textbatch.data.output.cell_values import is_own_in_text

    found = {}
    for field in schema:
        special = special_type(types[field.name]) if field.name in types else ""
        if special or not is_own_in_text(field.type, json=output.kind == "jsonl"):
            found[field.name] = special or shown_type(field.type)
    return found


def note_of(changed: Mapping[str, str]) -> str:
    """What the report tells of columns of a Parquet output; empty if it has nothing to tell.

    Timestamps of INT96 keep their instants. What they lose, if anything, is told when it is read.

    Args:
        changed: See `changed_types`.
    """
    told = {name: kind for name, kind in changed.items() if kind != INT96}
    return f"types are lost, their values are kept: {listed_types(told)}" if told else ""


def listed_types(columns: Mapping[str, str]) -> str:
    """List columns with their types for a message.

    Args:
        columns: The type of each.
    """
    names = [name for name in columns if not looks_like_data(name)]
    told = [f"{shown(name)} ({columns[name]})" for name in names[:_SHOWN_COLUMNS]]
    if more := len(columns) - len(told):
        told.append(f"{more:,} more")
    return ", ".join(told)
