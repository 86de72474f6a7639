"""What stands beside the labels of a file: weights, shares, confidences."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.class_labels import LabelChoice, LabelColumn
from textbatch.data.readers.column_names import shown, shown_type
from textbatch.data.readers.label_shares import certain
from textbatch.data.readers.label_values import blank_as_null, can_be_labels
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.data.readers.multi_labels import check_lists, check_lists_type, label_lists
from textbatch.data.readers.plain_numbers import can_be_numbers, number_values
from textbatch.data.readers.row_numbers import shown_rows
from textbatch.data.readers.row_weights import FLAG as WEIGHT_FLAG
from textbatch.data.readers.row_weights import check_weights, relative_weights
from textbatch.data.readers.soft_labels import (
    CONFIDENCE_FLAG,
    FLAG,
    check_soft_type,
    checked_shares,
    soft_labels,
    vector_labels,
    vector_shares,
    with_confidence,
)
from textbatch.data.readers.source import Source, require_column
from textbatch.data.readers.text_column import decode_texts
from textbatch.errors import DataError
from textbatch.types import BoolArray, Float64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelBatch:
    """The labels of some rows.

    Attributes:
        labels: Texts; null without a label. Shape `(rows,)`.
        undecodable: Where a label is not UTF-8. Shape `(rows,)`.
        weights: None where all rows count the same. Shape `(rows,)`.
        shares: Labels with shares, not checked; None if the labels are sure. Shape `(rows,)`.
    """

    labels: pa.Array
    undecodable: BoolArray
    weights: Float64Array | None = None
    shares: pa.Array | None = None


class LabelColumns:
    """The columns of a source that tell of labels.

    Attributes:
        names: Of the columns; that of the labels comes first.
    """

    def __init__(self, source: Source, choice: LabelChoice) -> None:
        """Look whether the columns are there and hold what they should.

        Args:
            source: The source.
            choice: The columns.

        Raises:
            DataError: They are not, or do not.
        """
        column = choice.labels
        require_column(source, column, _flag(choice))
        self._choice, self._labels, self._vectors = choice, None, None
        if choice.several:
            check_lists_type(source, column, choice.separator)
        elif choice.soft:
            check_soft_type(source, column)
            self._vectors = vector_labels(source.schema.field(column))
        else:
            _check_label_type(source, column)
            self._labels = LabelColumn(source, choice)
        for name, flag in (
            (choice.weight, WEIGHT_FLAG),
            (choice.confidence, CONFIDENCE_FLAG),
        ):
            if name:
                _require_numbers(source, name, flag)
        numbers = (choice.weight, choice.confidence)
        self.names = [*dict.fromkeys((column, *(name for name in numbers if name)))]

    def read(self, batch: pa.RecordBatch) -> LabelBatch:
        """Read the labels of some rows.

        Args:
            batch: Has the columns.
        """
        choice, values, shares = self._choice, batch.column(self.names[0]), None
        if choice.several:
            labels, undecodable = label_lists(values, choice.separator)
            return LabelBatch(labels=labels, undecodable=undecodable)
        if self._vectors is not None:
            values, shares = vector_shares(values, self._vectors)
        elif self._labels is None:
            values, shares = soft_labels(values)
        else:
            values = self._labels.texts(values)
        labels, undecodable = decode_texts(values)
        if choice.confidence:
            shares = certain(labels, number_values(batch.column(choice.confidence)))
        weights = number_values(batch.column(choice.weight)) if choice.weight else None
        return LabelBatch(labels=labels, undecodable=undecodable, weights=weights, shares=shares)


def kept_rows(rows: LabelledRows, choice: LabelChoice, *, skip_unlabelled: bool) -> LabelledRows:
    """Leave out rows without a label or weight; check the others.

    Args:
        rows: What was read, with row numbers.
        choice: The columns.
        skip_unlabelled: Leave out rows without a label. Otherwise they are an error.

    Raises:
        DataError: Rows lack a label, a weight, a confidence or shares.
    """
    rows = _labelled_only(rows, choice, skip=skip_unlabelled)
    if choice.several:
        assert rows.row_numbers is not None, "the rows were read"
        check_lists(rows.labels, rows.row_numbers, choice.labels)
    rows = _checked_shares(rows, choice)
    return _weighted_only(rows, choice.weight) if choice.weight else rows


def _labelled_only(rows: LabelledRows, choice: LabelChoice, *, skip: bool) -> LabelledRows:
    missing = pc.is_null(blank_as_null(rows.labels)).to_numpy(zero_copy_only=False)
    left_out = np.flatnonzero(missing)
    if not len(left_out):
        return rows
    if skip and len(left_out) < len(rows):
        kept = rows.take(np.flatnonzero(~missing))
        return replace(kept, left_out=left_out + 1)
    raise DataError(
        f"{len(left_out):,} of {len(rows):,} rows have no label in column "
        f"{shown(choice.labels)}: "
        f"{shown_rows(left_out + 1)}",
        f"check {_flag(choice)}"
        if skip
        else "label them, or leave them out with --skip-unlabelled",
    )


def _checked_shares(rows: LabelledRows, choice: LabelChoice) -> LabelledRows:
    shares, numbers = rows.shares, rows.row_numbers
    if shares is None:
        return rows
    assert numbers is not None, "the rows were read"
    if choice.confidence:
        confidences = pc.struct_field(shares.flatten(), "share").to_numpy()
        shares = with_confidence(rows.labels, confidences, numbers, choice.confidence)
    else:
        shares = checked_shares(shares, numbers, choice.labels)
    return replace(rows, shares=shares)


def _weighted_only(rows: LabelledRows, column: str) -> LabelledRows:
    weights, numbers = rows.weights, rows.row_numbers
    if weights is None:
        return rows  # a file beside the inputs, without the column
    assert numbers is not None, "the rows were read"
    check_weights(weights, numbers, column)
    kept = rows.take(np.flatnonzero(weights))
    assert kept.weights is not None, "it has those that are kept"
    return replace(
        kept,
        weights=relative_weights(kept.weights),
        left_out=rows.left_out,
        weightless=len(rows) - len(kept),
    )


def _check_label_type(source: Source, column: str) -> None:
    kind = source.schema.field(column).type
    if not can_be_labels(kind):
        raise DataError(
            f"{source.file} column {shown(column)} holds {shown_type(kind)}; labels are texts, "
            "whole numbers, floats or booleans",
            "cast it to strings, so that predictions come back in the same form",
        )


def _require_numbers(source: Source, column: str, flag: str) -> None:
    require_column(source, column, flag)
    kind = source.schema.field(column).type
    if not can_be_numbers(kind):
        raise DataError(
            f"{source.file} column {shown(column)} holds {shown_type(kind)}, not numbers",
            f"name a column of numbers with {flag}",
        )


def _flag(choice: LabelChoice) -> str:
    return FLAG if choice.soft else "--label-column"
