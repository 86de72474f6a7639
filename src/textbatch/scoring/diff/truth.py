"""The true labels of rows, from a file of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import pyarrow as pa

from textbatch.data.readers.class_labels import LabelChoice, LabelColumn
from textbatch.data.readers.column_names import shown
from textbatch.data.readers.inputs import input_files
from textbatch.data.readers.label_values import can_be_labels, is_blank, label_texts
from textbatch.data.readers.source import open_input, require_column
from textbatch.data.readers.text_column import decode_texts, stored_type
from textbatch.errors import DataError
from textbatch.scoring.diff.answers import Codes
from textbatch.scoring.diff.options import DiffConfig
from textbatch.scoring.diff.text_batches import BLOCK_ROWS
from textbatch.types import Int32Array


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueRows:
    """True labels of rows that follow each other.

    Attributes:
        true: Codes of the labels; `NONE` without one. Shape `(rows,)`.
        beside: Other columns that were asked for, by name.
    """

    true: Int32Array
    beside: dict[str, pa.Array]

    def __len__(self) -> int:
        return len(self.true)

    def cut(self, start: int, rows: int) -> Self:
        """Some of the rows.

        Args:
            start: The first one, from 0.
            rows: How many.
        """
        return type(self)(
            true=self.true[start : start + rows],
            beside={name: one.slice(start, rows) for name, one in self.beside.items()},
        )


def true_rows(config: DiffConfig, labels: Codes, beside: Sequence[str] = ()) -> Iterator[TrueRows]:
    """Yield the rows of `--truth`, some at a time.

    Args:
        config: Names the file and its label column.
        labels: Numbers the labels.
        beside: Other columns to read.

    Raises:
        InputNotFoundError: There is no such file.
        DataError: It is malformed, or lacks a column.
    """
    assert config.truth is not None
    column = config.true_column
    reading = config.reading()
    choice = LabelChoice(column=column, naming=config.label_names, known=labels.texts)
    with input_files((config.truth,), reading) as files:
        for one in files:
            source = open_input(one.file, reading)
            require_column(source, column, "--label-column")
            for name in beside:
                require_column(source, name, "--key")
            if not can_be_labels(stored_type(source.schema.field(column).type)):
                raise DataError(
                    f"{source.file} column {shown(column)} holds no labels", "check --label-column"
                )
            named = LabelColumn(source, choice)
            for batch in source.batches(list(dict.fromkeys([column, *beside])), BLOCK_ROWS):
                given = true_codes(named.texts(batch.column(column)), labels)
                yield TrueRows(true=given, beside={name: batch.column(name) for name in beside})


def true_codes(column: pa.Array, labels: Codes) -> Int32Array:
    """The codes of true labels. A blank one is none.

    Args:
        column: Labels of any type that labels have. Shape `(rows,)`.
        labels: Numbers the labels.

    Returns:
        Shape `(rows,)`.
    """
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    texts, _ = decode_texts(label_texts(column))
    encoded = texts.dictionary_encode()
    given = encoded.dictionary.to_pylist()
    values = [None if one is None or is_blank(one) else one for one in given]
    named = pa.array(values, pa.string())
    return labels.of(pa.DictionaryArray.from_arrays(encoded.indices, named))
