"""Labels with shares: what another model or several people say of a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.column_names import shown, shown_type
from textbatch.data.readers.label_shares import (
    SHARES,
    certain,
    entries_of,
    rows_of_shares,
    shares_of_vectors,
)
from textbatch.data.readers.nested import is_text
from textbatch.data.readers.row_numbers import shown_rows
from textbatch.data.readers.source import Source
from textbatch.data.readers.text_column import stored_type
from textbatch.data.strict_json import parse_json
from textbatch.errors import DataError
from textbatch.types import Float64Array, Int64Array

#: The options that name the columns.
FLAG, CONFIDENCE_FLAG = "--soft-labels", "--confidence-column"
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
    field = source.schema.field(column)
    kind = stored_type(field.type)
    plain = is_text(kind) or pa.types.is_struct(kind) or pa.types.is_map(kind)
    if not plain and vector_labels(field) is None:
        raise DataError(
            f"{source.file} column {shown(column)} holds {shown_type(kind)}; labels with shares "
            "are a struct, a map, texts with a JSON object, or what `score --probabilities` adds",
            f"write each as {_EXAMPLE}",
        )


def vector_labels(field: pa.Field) -> tuple[str, ...] | None:
    """The labels of a column that `score --probabilities` added; None for another column.

    Args:
        field: The column, with the labels in its metadata.
    """
    kind, told = field.type, (field.metadata or {}).get(b"labels")
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if told is None or not any(is_one(kind) for is_one in lists):
        return None
    try:
        labels = parse_json(told)
    except ValueError:
        return None
    named = isinstance(labels, list) and all(isinstance(one, str) for one in labels)
    if not named or len(set(labels)) < len(labels) or not pa.types.is_floating(kind.value_type):
        return None
    return tuple(labels)


def vector_shares(column: pa.Array, labels: tuple[str, ...]) -> tuple[pa.Array, pa.Array]:
    """Read the probabilities that `score --probabilities` added.

    Args:
        column: Lists of a number for each label, or null. Shape `(rows,)`.
        labels: See `vector_labels`.

    Returns:
        See `soft_labels`.
    """
    there = pc.is_valid(column).to_numpy(zero_copy_only=False)
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    right = there & (lengths == len(labels))
    values = np.zeros((len(column), len(labels)))
    found = pc.list_flatten(column.filter(pa.array(right))).to_numpy(zero_copy_only=False)
    values[right] = found.reshape(-1, len(labels))
    sums = values.sum(axis=1)
    wrong = there & ~((values >= 0).all(axis=1) & (np.abs(sums - 1) <= _SLACK))
    values[wrong] = np.eye(1, len(labels))
    best = pa.array(values.argmax(axis=1), mask=~there)
    rows, names, shares = entries_of(shares_of_vectors(values, labels))
    shares = np.where(wrong[rows], np.nan, shares)
    checked = rows_of_shares(rows, names, shares, len(column))
    return pa.array(labels, pa.large_string()).take(best), checked


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
    rows, labels, values = entries_of(shares)
    sums = np.bincount(rows, values, minlength=len(shares))
    wrong = np.bincount(rows, ~(values >= 0), minlength=len(shares)) > 0
    bad = np.flatnonzero(wrong | ~(np.abs(sums - 1) <= _SLACK))
    if len(bad):
        raise DataError(
            f"{len(bad):,} of {len(shares):,} rows have no labels with shares that add up to 1 in "
            f"column {shown(column)}: {shown_rows(row_numbers[bad])}",
            f"write each as {_EXAMPLE}",
        )
    return rows_of_shares(rows, labels, values / sums[rows], len(shares))


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
