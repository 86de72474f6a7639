"""Answers with confidences, and their truth: by position, or by a key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.column_names import shown
from textbatch.data.readers.inputs import input_files
from textbatch.data.readers.label_values import blank_as_null, can_be_labels, label_texts
from textbatch.data.readers.nested import is_text
from textbatch.data.readers.plain_numbers import can_be_numbers, number_values
from textbatch.data.readers.row_numbers import shown_rows
from textbatch.data.readers.source import Source, open_input, require_column, suited_to
from textbatch.data.readers.text_column import decode_texts, stored_type
from textbatch.errors import DataError
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.confidences.options import CalibrateConfig
from textbatch.types import BoolArray, Float64Array

#: Rows that are read at a time.
BLOCK_ROWS = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Answers whose truth is known, and what there is beside them.

    Attributes:
        confidence: From 0 to 1. Shape `(answers,)`.
        right: Whether the answer is the true label. Shape `(answers,)`.
        rows: Rows of the table.
        unanswered: Rows without a label or without a confidence.
        untold: Rows with an answer whose true label is not known.
        unused: True labels of which the table has no row.
    """

    confidence: Float64Array
    right: BoolArray
    rows: int
    unanswered: int
    untold: int
    unused: int


@dataclass(slots=True)
class _Truth:
    """True labels, by key or by position."""

    labels: list[str | None] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)


def known_answers(config: CalibrateConfig, step: Progress) -> Known:
    """Read the table and the truth.

    The truth is held in memory, of the table a number and a bit a row.

    Args:
        config: Names files and columns.
        step: Told of the rows that are read.

    Raises:
        InputNotFoundError: There is no such file.
        DataError: A file is malformed or lacks a column, a confidence is not from 0 to 1, a key is
            there twice, or the files have different numbers of rows without a key.
    """
    truth = _read_truth(config) if config.truth else None
    confidences, rights = [np.empty(0)], [np.empty(0, bool)]
    rows = unanswered = untold = 0
    used: set[int] = set()
    for source, batch in score_batches(config, _columns(config)):
        confidence = _confidences(source, batch, config, before=rows)
        predicted = _texts(batch.column(config.predicted_column)).to_pylist()
        true = _true_of(batch, config, truth, rows, used)
        answered = np.isfinite(confidence) & np.array([bool(one) for one in predicted], bool)
        told = np.array([one is not None for one in true], bool)
        right = np.array([a == b for a, b in zip(predicted, true, strict=True)], bool)
        kept = answered & told
        confidences.append(confidence[kept])
        rights.append(right[kept])
        rows += len(batch)
        unanswered += int((~answered).sum())
        untold += int((answered & ~told).sum())
        step.advance(len(batch))
    if truth and not config.key and rows != len(truth.labels):
        raise DataError(
            f"{config.scores} has {rows:,} rows, {config.truth} has {len(truth.labels):,}",
            "name the column that tells which rows belong together with --key",
        )
    return Known(
        confidence=np.concatenate(confidences),
        right=np.concatenate(rights),
        rows=rows,
        unanswered=unanswered,
        untold=untold,
        unused=len(truth.labels) - len(used) if truth and config.key else 0,
    )


def score_batches(
    config: CalibrateConfig, columns: list[str] | None
) -> Iterator[tuple[Source, pa.RecordBatch]]:
    """Yield the table, some rows at a time.

    Args:
        config: Names the table.
        columns: The columns; None for all.
    """
    reading = config.reading()
    with input_files((config.scores,), reading) as files:
        for one in files:
            source = open_input(one.file, reading)
            _check(source, config)
            names = list(source.schema.names) if columns is None else columns
            for batch in source.batches(names, BLOCK_ROWS):
                yield source, batch
            one.check_unchanged()


def _columns(config: CalibrateConfig) -> list[str]:
    names = [config.predicted_column, config.confidence_column]
    if config.key:
        names.append(config.key)
    if config.truth is None:
        names.append(config.label_column)
    return list(dict.fromkeys(names))


def _check(source: Source, config: CalibrateConfig) -> None:
    labels = [(config.predicted_column, "--predicted-column")]
    if config.truth is None:
        labels.append((config.label_column, "--label-column"))
    if config.key:
        labels.append((config.key, "--key"))
    for name, flag in labels:
        _require(source, name, flag)
    name = config.confidence_column
    require_column(source, name, "--confidence-column")
    if not can_be_numbers(source.schema.field(name).type):
        raise DataError(
            f"{source.file} column {shown(name)} holds no numbers", "check --confidence-column"
        )


def _require(source: Source, name: str, flag: str) -> None:
    require_column(source, name, flag)
    kind = source.schema.field(name).type
    if not (can_be_labels(kind) or pa.types.is_null(kind)):
        raise DataError(
            f"{source.file} column {shown(name)} holds neither texts nor numbers", f"check {flag}"
        )


def _read_truth(config: CalibrateConfig) -> _Truth:
    assert config.truth is not None
    found = _Truth()
    reading = config.reading()
    names = [config.label_column, *([config.key] if config.key else [])]
    with input_files((config.truth,), reading) as files:
        for one in files:
            source = open_input(one.file, suited_to(one.file, reading))
            for name, flag in zip(names, ("--label-column", "--key"), strict=False):
                _require(source, name, flag)
            for batch in source.batches(list(dict.fromkeys(names)), BLOCK_ROWS):
                if config.key:
                    _note_keys(found, batch.column(config.key), source, config.key)
                found.labels += _texts(batch.column(config.label_column)).to_pylist()
            one.check_unchanged()
    return found


def _note_keys(found: _Truth, column: pa.Array, source: Source, name: str) -> None:
    before = len(found.labels)
    for place, key in enumerate(_texts(column).to_pylist(), before):
        if key is None:
            continue
        if found.places.setdefault(key, place) != place:
            raise DataError(
                f"{source.file} column {shown(name)} has the same value in "
                f"{shown_rows(np.array([found.places[key] + 1, place + 1]))}",
                "name a --key that is different in each row",
            )


def _true_of(
    batch: pa.RecordBatch,
    config: CalibrateConfig,
    truth: _Truth | None,
    before: int,
    used: set[int],
) -> list[str | None]:
    """The true label of each row; None where it is not known."""
    if truth is None:
        return list(_texts(batch.column(config.label_column)).to_pylist())
    if not config.key:
        found = truth.labels[before : before + len(batch)]
        return found + [None] * (len(batch) - len(found))
    keys = _texts(batch.column(config.key)).to_pylist()
    places = [None if key is None else truth.places.get(key) for key in keys]
    used.update(place for place in places if place is not None)
    return [None if place is None else truth.labels[place] for place in places]


def _texts(column: pa.Array) -> pa.Array:
    """Labels or keys as texts; blank ones, and what is not UTF-8, are null."""
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    texts, bad = decode_texts(label_texts(column))
    return blank_as_null(pc.if_else(pa.array(bad), None, texts))


def _confidences(
    source: Source, batch: pa.RecordBatch, config: CalibrateConfig, *, before: int
) -> Float64Array:
    """Read the confidences; NaN where a row has none."""
    column = batch.column(config.confidence_column)
    found = number_values(column)
    wrong = (found < 0) | (found > 1)
    if is_text(stored_type(column.type)):
        given = _texts(column).is_valid().to_numpy(zero_copy_only=False)
        wrong |= given & np.isnan(found)
    if wrong.any():
        rows = np.flatnonzero(wrong)
        raise DataError(
            f"{source.file} column {shown(config.confidence_column)} has {len(rows):,} values that "
            f"are not from 0 to 1: {shown_rows(before + rows + 1)}",
            "check --confidence-column; a percentage is to be divided by 100",
        )
    return found
