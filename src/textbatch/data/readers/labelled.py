"""Labelled files, read into memory: thousands to a few million rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.class_labels import LabelChoice
from textbatch.data.readers.column_names import shown
from textbatch.data.readers.inputs import input_files
from textbatch.data.readers.label_columns import LabelColumns, kept_rows
from textbatch.data.readers.labelled_rows import LabelledRows, joined_rows
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.read_progress import OnRead, Reading
from textbatch.data.readers.soft_labels import FLAG
from textbatch.data.readers.source import Source, open_input, require_column, suited_to
from textbatch.data.readers.text_column import check_text_type, decode_texts, joined_lists, without
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location
from textbatch.errors import DataError

#: Called with a file and its rows that cannot be read.
OnBadRows = Callable[[InputFile, list[BadRow]], None]
_NOTHING = LabelledRows(
    texts=pa.array([], pa.large_string()), labels=pa.array([], pa.large_string())
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
        label_column: Column with the labels, alone or with what stands beside them. Of several
            files, those with this column may lack the one with shares: their labels are sure.
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
    parts: list[LabelledRows] = []
    before, unreadable, lacking = 0, 0, not beside
    with input_files(inputs, options) as files:
        reading = Reading(files, on_read)
        for one in files:
            reading.next_file()
            suited = suited_to(one.file, options) if beside else options
            source = open_input(one.file, suited, sets_aside=on_bad is not None)
            require_column(source, text_column, "--text-column")
            own = choice.there_in(source, beside=beside)
            lacking = lacking and own != choice
            labels = LabelColumns(source, own)
            aside = on_bad is not None
            rows, bad = _rows_of(source, text_column, labels, reading, options, sets_aside=aside)
            one.check_unchanged()
            if on_bad and bad:
                on_bad(one.file, bad)
            assert rows.row_numbers is not None
            parts.append(replace(rows, row_numbers=rows.row_numbers + before))
            before += len(rows) + len(bad)
            unreadable += len(bad)
        if lacking:
            require_column(source, choice.labels, FLAG)  # no file has it
        if not sum(map(len, parts)):
            raise DataError(f"{files[0].file} holds no row", "name a file with labelled rows")
    rows = joined_rows(parts)
    rows = replace(
        rows,
        texts=without(rows.texts, options.null_text),
        row_numbers=np.concatenate([part.row_numbers for part in parts]),
    )
    rows = kept_rows(rows, choice, skip_unlabelled=skip_unlabelled)
    return replace(rows, unreadable=unreadable)


def _rows_of(
    source: Source,
    text: str,
    columns: LabelColumns,
    reading: Reading,
    options: ReadOptions,
    *,
    sets_aside: bool,
) -> tuple[LabelledRows, list[BadRow]]:
    """Read a file; its rows have the numbers in the file. The other ones cannot be read."""
    kind = source.schema.field(text).type
    check_text_type(kind, f"{source.file} column {shown(text)}", options.join_lists)
    parts, masks = [_NOTHING], [np.empty(0, bool)]
    for batch in source.batches([*dict.fromkeys((text, *columns.names))], CHUNK_ROWS):
        column = joined_lists(batch.column(text), options.join_lists)
        decoded, bad_texts = decode_texts(column)
        found = columns.read(batch)
        for name, bad in ((text, bad_texts), (columns.names[0], found.undecodable)):
            if bad.any() and not sets_aside:
                raise DataError(
                    f"{source.file} column {shown(name)} has {int(bad.sum())} rows that are not "
                    "valid UTF-8",
                    "mend them, or leave them out with --quarantine",
                )
        parts.append(
            LabelledRows(
                texts=decoded, labels=found.labels, weights=found.weights, shares=found.shares
            )
        )
        masks.append(bad_texts | found.undecodable)
        reading.read_from(source, len(batch))
    aside = list(source.set_aside)
    undecodable = np.concatenate(masks)
    there = np.arange(1, len(undecodable) + len(aside) + 1)
    numbers = np.setdiff1d(there, [row.row for row in aside])
    rows = replace(joined_rows(parts), row_numbers=numbers)
    bad_rows = [BadRow(row=int(row), reason="bad_utf8") for row in numbers[undecodable]]
    return (
        rows.take(np.flatnonzero(~undecodable)) if bad_rows else rows,
        sorted(aside + bad_rows, key=lambda row: row.row),
    )
