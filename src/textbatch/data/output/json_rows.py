"""Rows as JSON Lines: UTF-8, one object on each line, every column in each."""

from __future__ import annotations

import pyarrow as pa
from msgspec.json import Encoder

from textbatch.data.output.cell_values import json_values


class JsonRows:
    """Makes JSON Lines of record batches. The bytes of a row do not depend on the other rows.

    NaN and infinities, which JSON does not have, become null.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._names = schema.names
        self._encoder = Encoder()

    def header(self) -> bytes:
        """Nothing: each line has the names."""
        return b""

    def encode(self, batch: pa.RecordBatch) -> bytes:
        """The lines of some rows."""
        columns = [json_values(column).to_pylist() for column in batch.columns]
        rows = [dict(zip(self._names, row, strict=True)) for row in zip(*columns, strict=True)]
        return self._encoder.encode_lines(rows)
