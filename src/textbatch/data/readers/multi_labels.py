"""Rows with any number of labels: a column of lists, or of texts with a separator."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.json_text import json_text
from textbatch.data.readers.column_names import shown, shown_type
from textbatch.data.readers.label_values import can_be_labels, is_blank, label_texts
from textbatch.data.readers.nested import is_text
from textbatch.data.readers.row_numbers import shown_rows
from textbatch.data.readers.source import Source
from textbatch.data.readers.text_column import decode_texts, stored_type
from textbatch.errors import DataError
from textbatch.types import BoolArray, Int64Array

#: The option for what stands between the labels of a text.
SEPARATOR_FLAG = "--label-separator"
#: Stands for a list that holds what is no label, so that the row does not count as one without.
_WRONG = "[null]"
_NONE = "[]"


def check_lists_type(source: Source, column: str, separator: str | None) -> None:
    """Check that a column can hold several labels for a row.

    Args:
        source: The source, which has the column.
        column: The column.
        separator: What stands between the labels of a text; None where the column holds lists.

    Raises:
        DataError: It holds something else.
    """
    kind = stored_type(source.schema.field(column).type)
    where = f"{source.file} column {shown(column)} holds {shown_type(kind)}"
    if separator is not None:
        if not is_text(kind):
            raise DataError(f"{where}, not texts", f"leave out {SEPARATOR_FLAG} for lists")
    elif not _is_list(kind):
        remedy = f"; for texts such as 'a;b' add {SEPARATOR_FLAG} ';'" if is_text(kind) else ""
        raise DataError(f"{where}, not lists of labels", f"write each as a list{remedy}")
    elif not (can_be_labels(kind.value_type) or pa.types.is_null(kind.value_type)):
        raise DataError(f"{where}; labels are texts, whole numbers, floats or booleans", "cast it")


def label_lists(column: pa.Array, separator: str | None) -> tuple[pa.Array, BoolArray]:
    """Read the labels of rows. Nothing is checked yet.

    Args:
        column: Lists, or texts. Shape `(rows,)`.
        separator: As in `check_lists_type`.

    Returns:
        The labels of each row, sorted, each once, as JSON text; null for a missing list or a blank
        text. And where a label is not UTF-8. Both of shape `(rows,)`.
    """
    while isinstance(column, pa.ExtensionArray):
        column = column.storage
    if separator is not None:
        texts, undecodable = decode_texts(column)
        rows = [None if one is None or is_blank(one) else one for one in texts.to_pylist()]
        found = [None if row is None else _split(row, separator) for row in rows]
        return _as_json(found), undecodable
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    values = column.flatten()
    if pa.types.is_null(values.type):
        values = values.cast(pa.large_string())
    labels, bad = decode_texts(label_texts(values))
    ends = np.cumsum(lengths, dtype=np.int64)
    starts = ends - lengths
    names = labels.to_pylist()
    missing = pc.is_null(column).to_pylist()
    lists = [
        None if none else names[start:end]
        for none, start, end in zip(missing, starts.tolist(), ends.tolist(), strict=True)
    ]
    rows_of = np.repeat(np.arange(len(column)), lengths.astype(np.int64))
    undecodable = np.zeros(len(column), bool)
    undecodable[rows_of[bad]] = True
    return _as_json(lists), undecodable


def check_lists(labels: pa.Array, row_numbers: Int64Array, column: str) -> None:
    """Check that no list holds what is no label.

    Args:
        labels: What `label_lists` gave. Shape `(rows,)`.
        row_numbers: Numbers of the rows, from 1. Shape `(rows,)`.
        column: The column, for the message.

    Raises:
        DataError: A list holds a null or a blank label.
    """
    wrong = np.flatnonzero(pc.equal(labels, _WRONG).to_numpy(zero_copy_only=False))
    if len(wrong):
        raise DataError(
            f"{len(wrong):,} of {len(labels):,} rows have a null or a blank label in their list in "
            f"column {shown(column)}: {shown_rows(row_numbers[wrong])}",
            "leave such entries out of the lists; an empty list means none of the labels",
        )


def lists_of(labels: pa.Array) -> list[list[str]]:
    """The labels of each row.

    Args:
        labels: What `label_lists` gave, never null. Shape `(rows,)`.
    """
    return [json.loads(one) for one in labels.to_pylist()]


def list_counts(labels: pa.Array) -> dict[str, int]:
    """Count the rows of each label, sorted by label; see `lists_of`."""
    counted = Counter(name for names in lists_of(labels) for name in names)
    return dict(sorted(counted.items()))


def label_matrix(labels: pa.Array, known: Sequence[str]) -> tuple[BoolArray, dict[str, int]]:
    """Which row has which label.

    Args:
        labels: See `lists_of`. Shape `(rows,)`.
        known: The labels, in order.

    Returns:
        Shape `(rows, labels)`; and how many rows each unknown label has.
    """
    places = {name: place for place, name in enumerate(known)}
    matrix = np.zeros((len(labels), len(known)), bool)
    unseen: Counter[str] = Counter()
    for row, names in enumerate(lists_of(labels)):
        for name in names:
            place = places.get(name)
            if place is None:
                unseen[name] += 1
            else:
                matrix[row, place] = True
    return matrix, dict(unseen)


def _split(text: str, separator: str) -> list[str | None]:
    # A text of separators alone is an empty list, which CSV could not say otherwise.
    return [piece.strip() for piece in text.split(separator) if not is_blank(piece)]


def _as_json(lists: Sequence[list[str | None] | None]) -> pa.Array:
    return pa.array([None if one is None else _json_of(one) for one in lists], pa.large_string())


def _json_of(names: list[str | None]) -> str:
    if any(name is None or is_blank(name) for name in names):
        return _WRONG
    return json_text(sorted({name for name in names if name is not None})) if names else _NONE


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )
