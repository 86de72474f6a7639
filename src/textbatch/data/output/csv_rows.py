"""Rows as CSV: UTF-8, a line feed after each row, quotes only where a cell needs them.

A null is an empty cell without quotes. An empty text is `""`, unless the rows come from a file
whose empty cells are all alike.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc
from msgspec.json import Encoder

from textbatch.data.output.cell_values import is_nested, json_values, texts_of

_NOTHING, _QUOTE, _LINE_FEED = (pa.scalar(text, pa.large_string()) for text in ("", '"', "\n"))
_BYTE_ORDER_MARK = "\ufeff"


class CsvRows:
    """Makes CSV of record batches. The bytes of a row do not depend on the other rows."""

    def __init__(self, schema: pa.Schema, *, delimiter: str, quote_empty: bool) -> None:
        """Nothing is written yet.

        Args:
            schema: The columns.
            delimiter: The character between cells.
            quote_empty: Whether empty texts differ from nulls, and get quotes.
        """
        self._schema, self._quote_empty = schema, quote_empty
        self._comma = pa.scalar(delimiter, pa.large_string())
        self._special = f'[{re.escape(delimiter)}"\r\n]'
        self._encoder = Encoder()

    def header(self) -> bytes:
        """The line with the names of the columns."""
        names = self._quoted(pa.array(self._schema.names, pa.large_string())).to_pylist()
        if names[0].startswith(_BYTE_ORDER_MARK):  # it would be taken for the mark of the file
            names[0] = f'"{names[0]}"'
        comma: str = self._comma.as_py()
        return f"{comma.join(names)}\n".encode()

    def encode(self, batch: pa.RecordBatch) -> bytes:
        """The lines of some rows."""
        cells = [self._cells(column) for column in batch.columns]
        lines = pc.binary_join_element_wise(
            *cells, self._comma, null_handling="replace", null_replacement=""
        )
        return _bytes_of(pc.binary_join_element_wise(lines, _LINE_FEED, _NOTHING))

    def _cells(self, column: pa.Array) -> pa.Array:
        if is_nested(column.type):
            values = json_values(column).to_pylist()
            texts = [None if one is None else self._encoder.encode(one).decode() for one in values]
            return self._quoted(pa.array(texts, pa.large_string()))
        cells = self._quoted(texts_of(column))
        if self._quote_empty:
            cells = pc.if_else(pc.equal(cells, _NOTHING), '""', cells)
        return cells

    def _quoted(self, texts: pa.Array) -> pa.Array:
        special = pc.match_substring_regex(texts, self._special)
        if not pc.any(special).as_py():
            return texts
        doubled = pc.replace_substring(texts, '"', '""')
        quoted = pc.binary_join_element_wise(_QUOTE, doubled, _QUOTE, _NOTHING)
        return pc.if_else(special, quoted, texts)


def _bytes_of(texts: pa.Array) -> bytes:
    """All texts of a new array, one after the other."""
    if not len(texts):
        return b""
    _, offsets, data = texts.buffers()
    end = int.from_bytes(offsets[8 * len(texts) : 8 * len(texts) + 8], "little")
    return memoryview(data)[:end].tobytes()
