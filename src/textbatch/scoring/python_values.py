"""What Python callers hand over as texts or tables: taken, or an error that says what is.

pandas and polars are told by their types' modules, so that neither is imported for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import pyarrow as pa

from textbatch.data.readers.column_names import shown_type
from textbatch.data.readers.text_column import check_text_type
from textbatch.errors import DataError

TEXTS = "a list, Series or Arrow array of texts, with None where there is none"
TABLES = "a pandas or polars DataFrame, or an Arrow table or record batch"


def texts_of(values: object) -> pa.Array:
    """Texts as Arrow's, whatever holds them.

    Args:
        values: Strings; None, NaN and NA stand for a missing one. Bytes are UTF-8.

    Returns:
        Strings or bytes, for `decode_texts`: a text that has no UTF-8, such as half a surrogate
        pair, is found there. Shape `(rows,)`.

    Raises:
        TypeError: They are no sequence, or something else is among them.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        try:
            check_text_type(values.type, "")
        except DataError:
            raise TypeError(f"the texts are {shown_type(values.type)}; give {TEXTS}") from None
        return values
    if not isinstance(values, Iterable) or not _is_sequence(values):
        raise TypeError(f"the texts are one {_name(values)}; give {TEXTS}")
    cells = [_cell(value, place) for place, value in enumerate(values)]
    return pa.array(cells, pa.large_binary())


def _is_sequence(values: object) -> bool:
    one = isinstance(values, str | bytes | bytearray | memoryview | Mapping | Set)
    # Of a table, and of an array of more dimensions, the elements are no texts.
    return not one and not hasattr(values, "columns") and getattr(values, "ndim", 1) == 1


def _cell(value: Any, place: int) -> bytes | None:  # noqa: ANN401
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            # No UTF-8 holds half a surrogate pair; these bytes are refused as it is.
            return value.encode("utf-8", "surrogatepass")
    if _is_missing(value):
        return None
    raise TypeError(f"item {place} is {_name(value)}; give {TEXTS}")


def _is_missing(value: object) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def frame_library(table: object) -> str:
    """`pandas` or `polars`, of which a value is a DataFrame; else empty."""
    kind = type(table)
    library = kind.__module__.partition(".")[0]
    is_frame = kind.__name__ == "DataFrame" and library in ("pandas", "polars")
    return library if is_frame else ""


def table_of(table: object) -> pa.Table:
    """An Arrow table of anything that can be one without copying.

    Raises:
        TypeError: It is no table.
    """
    if isinstance(table, pa.Table):
        return table
    if isinstance(table, pa.RecordBatch):
        return pa.Table.from_batches([table])
    if hasattr(table, "__arrow_c_stream__") and hasattr(table, "columns"):
        return pa.table(table)
    raise TypeError(f"the table is {_name(table)}; give {TABLES}")


def check_is_file(inputs: object) -> None:
    """Check that what is to be read from files is no table in memory.

    Args:
        inputs: A path, or several.

    Raises:
        TypeError: It is a table, or has one in it.
    """
    several = inputs if isinstance(inputs, list | tuple) else [inputs]
    for one in several:
        if hasattr(one, "columns") or isinstance(one, Mapping):
            raise TypeError(
                f"score reads files, and `inputs` is {_name(one)}; for tables in memory, "
                f"`textbatch.load(model).score_table` takes {TABLES}"
            )


def _name(value: object) -> str:
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    return kind.__qualname__ if library == "builtins" else f"{library}.{kind.__qualname__}"
