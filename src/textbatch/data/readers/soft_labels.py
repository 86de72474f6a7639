"""Labels with shares: what another model or several people say of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.column_names import shown, shown_type
from textbatch.data.readers.nested import is_text
from textbatch.data.readers.row_numbers import shown_rows
from textbatch.data.readers.source import Source
from textbatch.data.readers.text_column import stored_type
from textbatch.data.strict_json import parse_json
from textbatch.errors import DataError
from textbatch.types import Float32Array, Float64Array, Int64Array

#: The options that name the columns.
FLAG, CONFIDENCE_FLAG = "--soft-labels", "--confidence-column"
#: How rows hold their shares: labels in any order, each once.
SHARES = pa.large_list(pa.struct([("label", pa.large_string()), ("share", pa.float64())]))
#: Shares are rounded where they are written, so that their sum may miss 1 by this.
_SLACK = 0.01
_EXAMPLE = '{"billing": 0.75, "account": 0.25}'

#: Stands for what holds no shares: a label, so that the row does not count as one without.
_WRONG = {"?": np.nan}


def check_soft_type(source: Source, column: str) -> None:
    """Check that a column can hold labels with shares.

    Args:
        source: The source, which has the column.
        column: The column.

    Raises:
        DataError: It holds something else.
    """
    kind = stored_type(source.schema.field(column).type)
    if not (is_text(kind) or pa.types.is_struct(kind) or pa.types.is_map(kind)):
        raise DataError(
            f"{source.file} column {shown(column)} holds {shown_type(kind)}; labels with shares "
            "are a struct, a map, or texts with a JSON object",
            f"write each as {_EXAMPLE}",
        )


def soft_labels(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Read labels with shares. Nothing is checked yet.

    Args:
        column: Structs or maps of shares by label, or texts with a JSON object. Shape `(rows,)`.

    Returns:
        The label with the largest share, of equal ones the first by name, null without any; and
        the shares, NaN for what is none. Both of shape `(rows,)`.
    """
    while isinstance(column, pa.ExtensionArray):
        column = column.storage
    found = [_shares_in(value) for value in column.to_pylist()]
    best = [max(sorted(one), key=lambda label: _rank(one[label])) if one else None for one in found]
    shares = [[{"label": name, "share": one[name]} for name in one] for one in found]
    return pa.array(best, pa.large_string()), pa.array(shares, SHARES)


def _rank(share: float) -> float:
    return -np.inf if np.isnan(share) else share


def _shares_in(value: Any) -> dict[str, float]:  # noqa: ANN401 - whatever a file holds
    """The shares in a value; empty without a label, NaN for what is no share."""
    if isinstance(value, str):
        if not value.strip():
            return {}
        try:
            value = parse_json(value)
        except ValueError:
            return _WRONG
    if value is None:
        return {}
    if isinstance(value, list) and all(isinstance(one, tuple) for one in value):
        # A map, which may hold a label twice.
        if len({name for name, _ in value}) < len(value):
            return _WRONG
        value = dict(value)
    if not isinstance(value, Mapping):
        return _WRONG
    return {name: _number(one) for name, one in value.items() if one is not None}


def _number(value: object) -> float:
    if isinstance(value, bool | str):
        return np.nan
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError, OverflowError):
        return np.nan


def checked_shares(shares: pa.Array, row_numbers: Int64Array, column: str) -> pa.Array:
    """Check shares, and make each row's sum exactly 1.

    Args:
        shares: Of rows that have a label. Shape `(rows,)`.
        row_numbers: Numbers of the rows, from 1. Shape `(rows,)`.
        column: The column.

    Raises:
        DataError: A row has what is no share, or shares that do not add up to 1.
    """
    rows, values = _entries(shares)
    sums = np.bincount(rows, values, minlength=len(shares))
    wrong = np.bincount(rows, ~(values >= 0), minlength=len(shares)) > 0
    bad = np.flatnonzero(wrong | ~(np.abs(sums - 1) <= _SLACK))
    if len(bad):
        raise DataError(
            f"{len(bad):,} of {len(shares):,} rows have no labels with shares that add up to 1 in "
            f"column {shown(column)}: {shown_rows(row_numbers[bad])}",
            f"write each as {_EXAMPLE}",
        )
    return _with(shares, pc.struct_field(shares.flatten(), "label"), values / sums[rows])


def with_confidence(
    labels: pa.Array, confidences: Float64Array, row_numbers: Int64Array, column: str
) -> pa.Array:
    """Shares of labels that another model was more or less sure of.

    Args:
        labels: Shape `(rows,)`.
        confidences: NaN for what is no number. Shape `(rows,)`.
        row_numbers: Numbers of the rows, from 1. Shape `(rows,)`.
        column: The column of the confidences.

    Raises:
        DataError: One is missing, no number, or not between 0 and 1.
    """
    bad = np.flatnonzero(~((confidences >= 0) & (confidences <= 1)))
    if len(bad):
        raise DataError(
            f"{len(bad):,} of {len(labels):,} rows have no confidence from 0 to 1 in column "
            f"{shown(column)}: {shown_rows(row_numbers[bad])}",
            "give each row one",
        )
    return certain(labels, confidences)


def certain(labels: pa.Array, share: Float64Array | None = None) -> pa.Array:
    """Shares of rows that have one label.

    Args:
        labels: Shape `(rows,)`.
        share: What each label has; None for 1. Shape `(rows,)`.
    """
    values = np.ones(len(labels)) if share is None else share
    entries = pa.StructArray.from_arrays(
        [labels.cast(pa.large_string()), pa.array(values)], fields=list(SHARES.value_type)
    )
    return pa.LargeListArray.from_arrays(pa.array(np.arange(len(labels) + 1)), entries)


def renamed_shares(shares: pa.Array, rename: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Give labels other names.

    Args:
        shares: Shape `(rows,)`.
        rename: Gives the new name of each; null for one that is left out.
    """
    entries = shares.flatten()
    values = pc.struct_field(entries, "share").to_numpy()
    return _with(shares, rename(pc.struct_field(entries, "label")), values)


def dense_shares(shares: pa.Array, labels: Sequence[str]) -> Float32Array:
    """Shares as a distribution over labels.

    What a row lacks to 1 is spread over the labels that it does not name. Labels that are not asked
    for are left out, and the others fill their place.

    Args:
        shares: Each row has one of the labels. Shape `(rows,)`.
        labels: The labels, in order.

    Returns:
        Each row adds up to 1. Shape `(rows, labels)`.
    """
    rows, values = _entries(shares)
    names = pc.struct_field(shares.flatten(), "label")
    places = pc.fill_null(pc.index_in(names, value_set=pa.array(labels, pa.large_string())), -1)
    places = places.to_numpy(zero_copy_only=False)
    known = places >= 0
    dense = np.zeros((len(shares), len(labels)))
    np.add.at(dense, (rows[known], places[known]), values[known])
    unnamed = np.ones(dense.shape, bool)
    unnamed[rows[known], places[known]] = False
    rest = np.maximum(0, 1 - np.bincount(rows, values, minlength=len(shares)))
    dense += unnamed * (rest / np.maximum(1, unnamed.sum(axis=1)))[:, None]
    return np.asarray(dense / dense.sum(axis=1, keepdims=True), np.float32)


def _entries(shares: pa.Array) -> tuple[Int64Array, Float64Array]:
    """The row of each label, and its share. Shapes `(entries,)`."""
    lengths = pc.list_value_length(shares).to_numpy(zero_copy_only=False)
    values = pc.struct_field(shares.flatten(), "share").to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(shares)), lengths.astype(np.int64)), values


def _with(shares: pa.Array, labels: pa.Array, values: Float64Array) -> pa.Array:
    lengths = pc.list_value_length(shares).to_numpy(zero_copy_only=False).astype(np.int64)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]))
    entries = pa.StructArray.from_arrays(
        [labels.cast(pa.large_string()), pa.array(values)], fields=list(SHARES.value_type)
    )
    return pa.LargeListArray.from_arrays(offsets, entries)
