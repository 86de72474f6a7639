"""Columns of CSV and JSON Lines that `score` wrote."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pyarrow as pa

from textbatch.data.output.any_output import text_format
from textbatch.data.output.read_back import rows_back
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.location import Location

#: Rows of a block. Small enough for long texts, large enough for numpy.
BLOCK_ROWS = 1 << 15


def text_batches(file: Location, columns: list[str] | None) -> Iterator[dict[str, pa.Array]]:
    """Yield columns of a file as texts, by name, some rows at a time.

    Args:
        file: CSV or JSON Lines.
        columns: Names of the columns. None yields nulls for the first row alone, to tell the names.

    Raises:
        DataError: It is damaged.
        StorageError: It cannot be read.
    """
    form = text_format(file)
    assert form is not None
    rows = rows_back(new_input(file), form)
    if columns is None:
        first = next(rows, None)
        if first is not None:
            yield {name: pa.nulls(1) for name in first}
        return
    while some := list(islice(rows, BLOCK_ROWS)):
        yield {name: _cells([row.get(name) for row in some]) for name in columns}


def _cells(values: list[Any]) -> pa.Array:
    """Cells as texts: a cell without anything in it is null, as in CSV."""
    texts = [None if one is None or one == "" else _text(one) for one in values]
    return pa.array(texts, pa.string())


def _text(value: Any) -> str:  # noqa: ANN401 - any of JSON's
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
