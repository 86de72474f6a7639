"""A column that tells how much each labelled row counts."""

from __future__ import annotations

import numpy as np

from textbatch.data.readers.column_names import shown
from textbatch.data.readers.row_numbers import shown_rows
from textbatch.errors import DataError
from textbatch.types import Float64Array, Int64Array

#: The option that names the column.
FLAG = "--weight-column"
#: With weights up to this, sums over all rows stay exact enough.
LARGEST = 1e9


def check_weights(weights: Float64Array, row_numbers: Int64Array, column: str) -> None:
    """Check weights.

    Args:
        weights: NaN for what is no number. Shape `(rows,)`.
        row_numbers: Numbers of the rows, from 1. Shape `(rows,)`.
        column: The column.

    Raises:
        DataError: One is missing, no number, negative or far too large; or all are 0.
    """
    # A comparison with NaN is false.
    bad = np.flatnonzero(~((weights >= 0) & (weights <= LARGEST)))
    if len(bad):
        raise DataError(
            f"{len(bad):,} of {len(weights):,} rows have no weight from 0 to {LARGEST:,.0f} in "
            f"column {shown(column)}: {shown_rows(row_numbers[bad])}",
            "give each row a number; with 0 it is left out",
        )
    if not weights.any():
        raise DataError(
            f"all {len(weights):,} rows have weight 0 in column {shown(column)}",
            "give the rows to learn from a larger one",
        )


def relative_weights(weights: Float64Array) -> Float64Array | None:
    """Weights with mean 1; None if all rows count the same.

    Args:
        weights: Larger than 0. Shape `(rows,)`, at least one.
    """
    if (weights == weights[0]).all():
        return None
    # The largest first: sums of weights next to nothing would be lost, or overflow when divided.
    weights = weights / weights.max()
    return np.asarray(weights / weights.mean())
