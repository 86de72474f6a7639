"""Columns of numbers, as every format writes them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.nested import is_text
from textbatch.data.readers.text_column import decode_texts, stored_type
from textbatch.types import Float64Array

#: A number as text files hold it. Arrow would fail for a whole column where one cell is none.
_NUMBER = r"^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def can_be_numbers(kind: pa.DataType) -> bool:
    """Whether a type is one of numbers, or of texts, as CSV files hold numbers.

    Args:
        kind: Type of the column.
    """
    value = stored_type(kind)
    return bool(
        is_text(value)
        or pa.types.is_null(value)
        or pa.types.is_integer(value)
        or pa.types.is_floating(value)
        or pa.types.is_decimal(value)
    )


def number_values(column: pa.Array) -> Float64Array:
    """Read numbers. What is none, as a null or another text, is NaN.

    Args:
        column: Values of a type that `can_be_numbers`. Shape `(rows,)`.

    Returns:
        Shape `(rows,)`.
    """
    while isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if is_text(column.type):
        texts = pc.utf8_trim_whitespace(decode_texts(column)[0])
        column = pc.if_else(pc.match_substring_regex(texts, _NUMBER), texts, None)
    numbers = column.cast(pa.float64(), safe=False)
    return np.array(pc.fill_null(numbers, np.nan), np.float64)
