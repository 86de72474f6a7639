"""Texts and tables of Python callers: converted, or refused with an error that says what fits.

Frames of pandas and polars are recognized by the module of their type, so that this module
imports neither library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.column_names import shown_type
from textbatch.data.readers.text_column import check_text_type
from textbatch.errors import DataError

TEXTS = "a list, Series or Arrow array of texts, with None where there is none"
#: What to do where a column of a table in memory has the name of an added one.
RENAME = "give a prefix, or rename or drop the column"
TABLES = "a pandas or polars DataFrame, or an Arrow table or record batch"


def texts_of(values: object) -> pa.Array:
    """Convert texts to an Arrow array.

    Args:
        values: Strings, or bytes in UTF-8. None, NaN and NA mean a missing text.

    Returns:
        Strings or bytes for `decode_texts`, which finds texts that are not valid UTF-8, such as
        half a surrogate pair. Shape `(rows,)`.

    Raises:
        TypeError: It is not a sequence, or a value in it is not a text.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        try:
            check_text_type(values.type, "")
        except DataError:
            raise TypeError(f"the texts are {shown_type(values.type)}; give {TEXTS}") from None
        _check_indices(values)
        return values
    if not isinstance(values, Iterable) or not _is_sequence(values):
        raise TypeError(f"the texts are one {_name(values)}; give {TEXTS}")
    cells = [_cell(value, place) for place, value in enumerate(values)]
    return pa.array(cells, pa.large_binary())


def _is_sequence(values: object) -> bool:
    one = isinstance(values, str | bytes | bytearray | memoryview | Mapping | Set)
    # The elements of a table, or of an array with more dimensions, are not texts.
    return not one and not hasattr(values, "columns") and getattr(values, "ndim", 1) == 1


def _cell(value: Any, place: int) -> bytes | None:  # noqa: ANN401
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            # Half a surrogate pair: these bytes are not valid UTF-8, and so the text is bad.
            return value.encode("utf-8", "surrogatepass")
    if _is_missing(value):
        return None
    raise TypeError(f"item {place} is {_name(value)}; give {TEXTS}")


def _is_missing(value: object) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def frame_library(table: object) -> str:
    """Return `pandas` or `polars` if a value is a DataFrame of it, else an empty string."""
    kind = type(table)
    library = kind.__module__.partition(".")[0]
    is_frame = kind.__name__ == "DataFrame" and library in ("pandas", "polars")
    return library if is_frame else ""


def table_of(table: object) -> pa.Table:
    """Convert anything that is a table to an Arrow table, without copying.

    Raises:
        TypeError: It is not a table.
    """
    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    if isinstance(table, pa.Table):
        for column in table.itercolumns():
            for chunk in column.chunks:
                _check_indices(chunk)
        return table
    if hasattr(table, "__arrow_c_stream__") and hasattr(table, "columns"):
        return pa.table(table)
    raise TypeError(f"the table is {_name(table)}; give {TABLES}")


def _check_indices(array: pa.Array) -> None:
    """Check that a dictionary array points into its dictionary, which Arrow believes.

    Raises:
        TypeError: It does not.
    """
    if pa.types.is_dictionary(array.type) and len(array):
        found = pc.min_max(array.indices).as_py()
        if found["min"] is not None and not (
            0 <= found["min"] <= found["max"] < len(array.dictionary)
        ):
            raise TypeError("a dictionary array points outside its dictionary; make it anew")


def is_table(inputs: object) -> bool:
    """Whether a value is meant as a table in memory, not as a path or several."""
    return hasattr(inputs, "columns") or isinstance(inputs, Mapping)


def check_is_file(inputs: object) -> None:
    """Check that no table is among several inputs.

    Args:
        inputs: A path, or several.

    Raises:
        TypeError: There is one.
    """
    for one in inputs if isinstance(inputs, list | tuple) else ():
        if is_table(one):
            raise TypeError(
                f"score takes one table, and `inputs` holds {_name(one)} among others; give it "
                f"alone: {TABLES}"
            )


def _name(value: object) -> str:
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    return kind.__qualname__ if library == "builtins" else f"{library}.{kind.__qualname__}"


def one_batch(table: pa.Table) -> pa.RecordBatch:
    """A table as one batch, also where it has no row. Shape `(rows, columns)`."""
    columns = [column.combine_chunks() for column in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)
