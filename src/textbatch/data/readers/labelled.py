"""Labelled files, read into memory: thousands to a few million rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.class_labels import LabelChoice, LabelColumn
from textbatch.data.readers.column_names import shown, shown_type
from textbatch.data.readers.inputs import input_files
from textbatch.data.readers.label_values import blank_as_null, can_be_labels
from textbatch.data.readers.plain_numbers import number_values
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.read_progress import OnRead, Reading
from textbatch.data.readers.row_numbers import shown_rows
from textbatch.data.readers.row_weights import check_weights, relative_weights, require_weights
from textbatch.data.readers.source import Source, open_input, require_column, suited_to
from textbatch.data.readers.text_column import check_text_type, decode_texts, joined_lists, without
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location
from textbatch.errors import DataError
from textbatch.types import BoolArray, Float64Array, Int64Array

#: Called with a file and its rows that cannot be read.
OnBadRows = Callable[[InputFile, list[BadRow]], None]
_EMPTY = [pa.array([], pa.large_string())]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRows:
    """Texts with their true labels.

    Attributes:
        texts: Strings; null where a row has no text. Shape `(rows,)`.
        labels: Strings, never null. Shape `(rows,)`.
        row_numbers: Numbers of the rows in the input, from 1. Several files are counted one after
            the other. None for made-up rows. Shape `(rows,)`.
        left_out: Numbers of the rows without a label, which were left out; None if there are none.
        unreadable: How many rows could not be read, and were left out.
        weights: How much each row counts, larger than 0; None if all count the same. Shape
            `(rows,)`.
        weightless: How many rows have weight 0, and were left out.
    """

    texts: pa.Array
    labels: pa.Array
    row_numbers: Int64Array | None = None
    left_out: Int64Array | None = None
    unreadable: int = 0
    weights: Float64Array | None = None
    weightless: int = 0

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def rows_read(self) -> int:
        """How many rows the files have, those that were left out too."""
        unlabelled = 0 if self.left_out is None else len(self.left_out)
        return len(self) + self.unreadable + unlabelled + self.weightless

    def weights_of(self, rows: BoolArray | Int64Array) -> Float64Array | None:
        """Weights of some rows, by mask or position, `(rows,)`; None if all count the same."""
        return None if self.weights is None else self.weights[rows]

    def take(self, positions: Int64Array) -> LabelledRows:
        """Select the rows at given positions, in this order. Shape of `positions`: `(taken,)`."""
        taken = pa.array(positions)
        return LabelledRows(
            texts=self.texts.take(taken),
            labels=self.labels.take(taken),
            row_numbers=None if self.row_numbers is None else self.row_numbers[positions],
            weights=None if self.weights is None else self.weights[positions],
        )

    def followed_by(self, others: LabelledRows) -> LabelledRows:
        """Append other rows. Row numbers are dropped, because they count in different inputs."""
        return LabelledRows(
            texts=pa.concat_arrays([self.texts, others.texts]),
            labels=pa.concat_arrays([self.labels, others.labels]),
            weights=_weights_of([self, others]),
        )


def _weights_of(parts: Sequence[LabelledRows]) -> Float64Array | None:
    """The weights of parts, one after the other."""
    if all(part.weights is None for part in parts):
        return None
    return np.concatenate(
        [np.ones(len(part)) if part.weights is None else part.weights for part in parts]
    )


def read_labelled(
    inputs: Sequence[Location],
    options: ReadOptions,
    *,
    text_column: str,
    label_column: str | LabelChoice,
    beside: bool = False,
    skip_unlabelled: bool = False,
    on_bad: OnBadRows | None = None,
    on_read: OnRead = lambda _rows, _share: None,
) -> LabelledRows:
    """Read labelled files, one after the other.

    Args:
        inputs: Files, folders, globs, or `-` for standard input.
        options: How they are read.
        text_column: Column with the texts.
        label_column: Column with the labels, alone or with what its integers mean and the weights.
        beside: Whether they come in addition to other inputs. Then the format in their name counts
            more than the options.
        skip_unlabelled: Leave out rows without a label. Otherwise they are an error.
        on_bad: Called with the rows of a file that cannot be read, which are left out then.
            Otherwise they are an error.
        on_read: Called after each chunk.

    Raises:
        InputNotFoundError: A file does not exist, or nothing is found.
        DataError: A file is malformed, lacks a column, or has texts that are not UTF-8 or rows
            without a label or a weight. Or the files have no rows.
    """
    choice = LabelChoice(column=label_column) if isinstance(label_column, str) else label_column
    columns = (text_column, choice.column)
    parts: list[LabelledRows] = []
    before = unreadable = 0
    with input_files(inputs, options) as files:
        reading = Reading(files, on_read)
        for one in files:
            reading.next_file()
            suited = suited_to(one.file, options) if beside else options
            source = open_input(one.file, suited, sets_aside=on_bad is not None)
            for column, flag in zip(columns, ("--text-column", "--label-column"), strict=True):
                require_column(source, column, flag)
            _check_label_type(source, choice.column)
            labels = LabelColumn(source, choice)
            if choice.weight:
                require_weights(source, choice.weight)
            aside = on_bad is not None
            rows, bad = _rows_of(source, columns, labels, reading, options, sets_aside=aside)
            one.check_unchanged()
            if on_bad and bad:
                on_bad(one.file, bad)
            assert rows.row_numbers is not None
            parts.append(replace(rows, row_numbers=rows.row_numbers + before))
            before += len(rows) + len(bad)
            unreadable += len(bad)
        if not sum(map(len, parts)):
            raise DataError(f"{files[0].file} holds no row", "name a file with labelled rows")
    texts = pa.concat_arrays([part.texts for part in parts])
    rows = LabelledRows(
        texts=without(texts, options.null_text),
        labels=pa.concat_arrays([part.labels for part in parts]),
        row_numbers=np.concatenate([part.row_numbers for part in parts]),
        weights=_weights_of(parts),
    )
    rows = _labelled_only(rows, choice.column, skip=skip_unlabelled)
    if choice.weight:
        rows = _weighted_only(rows, choice.weight)
    return replace(rows, unreadable=unreadable)


def _rows_of(
    source: Source,
    columns: tuple[str, str],
    label_column: LabelColumn,
    reading: Reading,
    options: ReadOptions,
    *,
    sets_aside: bool,
) -> tuple[LabelledRows, list[BadRow]]:
    """Read a file; its rows have the numbers in the file. The other ones cannot be read."""
    text, label = columns
    kind = source.schema.field(text).type
    check_text_type(kind, f"{source.file} column {shown(text)}", options.join_lists)
    texts, labels, masks = _EMPTY[:], _EMPTY[:], [np.empty(0, bool)]
    weight, weights = label_column.weight, [np.empty(0)]
    wanted = list(dict.fromkeys([*columns, weight] if weight else columns))
    for batch in source.batches(wanted, CHUNK_ROWS):
        column = joined_lists(batch.column(text), options.join_lists)
        decoded, bad_texts = decode_texts(column)
        given, bad_labels = decode_texts(label_column.texts(batch.column(label)))
        for name, bad in ((text, bad_texts), (label, bad_labels)):
            if bad.any() and not sets_aside:
                raise DataError(
                    f"{source.file} column {shown(name)} has {int(bad.sum())} rows that are not "
                    "valid UTF-8",
                    "mend them, or leave them out with --quarantine",
                )
        texts.append(decoded)
        labels.append(given)
        masks.append(bad_texts | bad_labels)
        if weight:
            weights.append(number_values(batch.column(weight)))
        reading.read_from(source, len(batch))
    aside = list(source.set_aside)
    undecodable = np.concatenate(masks)
    there = np.arange(1, len(undecodable) + len(aside) + 1)
    numbers = np.setdiff1d(there, [row.row for row in aside])
    rows = LabelledRows(
        texts=pa.concat_arrays(texts),
        labels=pa.concat_arrays(labels),
        row_numbers=numbers,
        weights=np.concatenate(weights) if weight else None,
    )
    bad_rows = [BadRow(row=int(row), reason="bad_utf8") for row in numbers[undecodable]]
    return (
        rows.take(np.flatnonzero(~undecodable)) if bad_rows else rows,
        sorted(aside + bad_rows, key=lambda row: row.row),
    )


def _labelled_only(rows: LabelledRows, column: str, *, skip: bool) -> LabelledRows:
    missing = pc.is_null(blank_as_null(rows.labels)).to_numpy(zero_copy_only=False)
    left_out = np.flatnonzero(missing)
    if not len(left_out):
        return rows
    if skip and len(left_out) < len(rows):
        kept = rows.take(np.flatnonzero(~missing))
        return replace(kept, left_out=left_out + 1)
    raise DataError(
        f"{len(left_out):,} of {len(rows):,} rows have no label in column {shown(column)}: "
        f"{shown_rows(left_out + 1)}",
        "check --label-column" if skip else "label them, or leave them out with --skip-unlabelled",
    )


def _weighted_only(rows: LabelledRows, column: str) -> LabelledRows:
    weights, numbers = rows.weights, rows.row_numbers
    assert weights is not None, "the column was read"
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


def label_ids_of(labels: pa.Array, known: Sequence[str]) -> tuple[Int64Array, dict[str, int]]:
    """Find the ids of labels.

    Args:
        labels: Strings. Shape `(rows,)`.
        known: The known labels, in the order of their ids.

    Returns:
        Ids, -1 for unknown labels, shape `(rows,)`; and how often each unknown label occurs.
    """
    found = pc.index_in(labels, value_set=pa.array(known, labels.type))
    unseen = pc.value_counts(labels.filter(pc.is_null(found))).to_pylist()
    ids = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return ids, {entry["values"]: entry["counts"] for entry in unseen}


def label_counts(rows: LabelledRows) -> dict[str, int]:
    """Count the rows of each label, sorted by label."""
    counted = {e["values"]: e["counts"] for e in pc.value_counts(rows.labels).to_pylist()}
    return dict(sorted(counted.items()))
