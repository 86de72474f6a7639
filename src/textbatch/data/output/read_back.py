"""Rows of CSV and JSON Lines as `score` wrote them: nothing about them is guessed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from msgspec import DecodeError
from msgspec.json import Decoder

from textbatch.data.output.output_format import OutputFormat
from textbatch.data.readers.compressed import ByteStream, stream_errors
from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError

_LONGEST_CELL = (1 << 31) - 1


def rows_back(file: InputFile, form: OutputFormat) -> Iterator[dict[str, Any]]:
    """Read an output row by row.

    Args:
        file: The output.
        form: Its format: CSV, whose cells are all texts, or JSON Lines.

    Yields:
        The cells of each row by their names.

    Raises:
        DataError: It is damaged.
        StorageError: It cannot be read.
    """
    number = 0
    with stream_errors(file):
        stream = ByteStream(file)
        try:
            # Outputs have no byte-order mark, but `show` takes other files too.
            text = io.TextIOWrapper(io.BufferedReader(stream.bytes), "utf-8-sig", newline="")
            for row in _of_csv(text, form) if form.kind == "csv" else _of_json(text):
                number += 1
                yield row
        except (csv.Error, DecodeError, UnicodeDecodeError, ValueError) as error:
            raise DataError(
                f"{file} is damaged after row {number:,}", "restore it, or score the input again"
            ) from error
        finally:
            stream.close()


def _of_csv(lines: io.TextIOWrapper, form: OutputFormat) -> Iterator[dict[str, Any]]:
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        rows = csv.reader(lines, delimiter=form.delimiter, strict=True)
        names = next(rows, [])
        for row in rows:
            yield dict(zip(names, row, strict=True))
    finally:
        csv.field_size_limit(before)


def _of_json(lines: io.TextIOWrapper) -> Iterator[dict[str, Any]]:
    decode = Decoder(dict[str, Any]).decode
    return map(decode, lines)
