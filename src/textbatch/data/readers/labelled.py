"""Labelled files, read into memory: thousands to a few million rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.readers.column_names import shown, shown_type
from textbatch.data.readers.inputs import input_files
from textbatch.data.readers.nested import is_text
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.read_progress import OnRead, Reading
from textbatch.data.readers.row_numbers import shown_rows
from textbatch.data.readers.source import Source, open_input, require_column, suited_to
from textbatch.data.readers.text_column import check_text_type, decode_texts, stored_type, without
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location
from textbatch.errors import DataError
from textbatch.types import Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRows:
    """Texts with their true labels.

    Attributes:
        texts: Strings; null where a row has no text. Shape `(rows,)`.
        labels: Strings, never null. Shape `(rows,)`.
        row_numbers: Numbers of the rows in the input, from 1. Several files are counted one after
            the other. None for made-up rows. Shape `(rows,)`.
        left_out: Numbers of the rows without a label, which were left out; None if there are none.
    """

    texts: pa.Array
    labels: pa.Array
    row_numbers: Int64Array | None = None
    left_out: Int64Array | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, positions: Int64Array) -> LabelledRows:
        """Select the rows at given positions, in this order. Shape of `positions`: `(taken,)`."""
        taken = pa.array(positions)
        return LabelledRows(
            texts=self.texts.take(taken),
            labels=self.labels.take(taken),
            row_numbers=None if self.row_numbers is None else self.row_numbers[positions],
        )

    def followed_by(self, others: LabelledRows) -> LabelledRows:
        """Append other rows. Row numbers are dropped, because they count in different inputs."""
        return LabelledRows(
            texts=pa.concat_arrays([self.texts, others.texts]),
            labels=pa.concat_arrays([self.labels, others.labels]),
        )


def read_labelled(
    inputs: Sequence[Location],
    options: ReadOptions,
    *,
    text_column: str,
    label_column: str,
    beside: bool = False,
    skip_unlabelled: bool = False,
    on_read: OnRead = lambda _rows, _share: None,
) -> LabelledRows:
    """Read labelled files, one after the other.

    Args:
        inputs: Files, folders, globs, or `-` for standard input.
        options: How they are read.
        text_column: Column with the texts.
        label_column: Column with the labels.
        beside: Whether they come in addition to other inputs. Then the format in their name counts
            more than the options.
        skip_unlabelled: Leave out rows without a label. Otherwise they are an error.
        on_read: Called after each chunk.

    Raises:
        InputNotFoundError: A file does not exist, or nothing is found.
        DataError: A file is malformed, lacks a column, or has texts that are not UTF-8 or rows
            without a label. Or the files have no rows.
    """
    texts: list[pa.Array] = []
    labels: list[pa.Array] = []
    with input_files(inputs, options) as files:
        reading = Reading(files, on_read)
        for one in files:
            reading.next_file()
            source = open_input(one.file, suited_to(one.file, options) if beside else options)
            require_column(source, text_column, "--text-column")
            require_column(source, label_column, "--label-column")
            kind = source.schema.field(text_column).type
            check_text_type(kind, f"{one.file} column {shown(text_column)}")
            _check_label_type(source, label_column)
            for batch in source.batches([text_column, label_column], CHUNK_ROWS):
                found = _decoded(batch.column(text_column), one.file, text_column)
                texts.append(without(found, options.null_text))
                labels.append(_decoded(batch.column(label_column), one.file, label_column))
                reading.read_from(source, len(batch))
            one.check_unchanged()
        if not sum(map(len, texts)):
            raise DataError(f"{files[0].file} holds no row", "name a file with labelled rows")
    rows = LabelledRows(
        texts=pa.concat_arrays(texts),
        labels=pa.concat_arrays(labels),
        row_numbers=np.arange(1, sum(map(len, texts)) + 1),
    )
    return _labelled_only(rows, label_column, skip=skip_unlabelled)


def _labelled_only(rows: LabelledRows, column: str, *, skip: bool) -> LabelledRows:
    # CSV has no nulls, and a blank cell is no label that anybody has given.
    blank = pc.equal(pc.utf8_trim_whitespace(rows.labels), "")
    missing = pc.fill_null(blank, True).to_numpy(zero_copy_only=False)  # noqa: FBT003
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


def _check_label_type(source: Source, column: str) -> None:
    kind = source.schema.field(column).type
    if not is_text(stored_type(kind)):
        raise DataError(
            f"{source.file} column {shown(column)} holds {shown_type(kind)}; labels are text",
            "cast it to strings, so that predictions come back in the same form",
        )


def _decoded(column: pa.Array, file: InputFile, name: str) -> pa.Array:
    values, bad = decode_texts(column)
    if bad.any():
        raise DataError(
            f"{file} column {shown(name)} has {int(bad.sum())} rows that are not valid UTF-8",
            "mend them or leave them out",
        )
    return values


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
