"""Rows with any number of labels: read, checked, and split without leaks."""

from __future__ import annotations

import numpy as np

from textbatch.data.readers.label_values import (
    LONGEST_LABEL,
    labels_alike,
    named_labels,
    reads_as_missing,
)
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.data.readers.multi_labels import label_matrix, list_counts
from textbatch.errors import DataError
from textbatch.report.listener import SILENT, Listener
from textbatch.training.config.groups import MIN_ROWS_PER_LABEL
from textbatch.training.config.train import TrainConfig
from textbatch.training.split.dataset import TEST_SHARE, VALIDATION_SHARE, RowReading, Splits
from textbatch.training.split.near_duplicates import count_repeats, text_groups
from textbatch.training.split.stratified import split_rows
from textbatch.types import BoolArray, Int64Array


def read_multi_label_splits(config: TrainConfig, *, listener: Listener = SILENT) -> Splits:
    """Read the files, leave out rows that nothing can be learned from, and split the others.

    Args:
        config: Names the files and their columns.
        listener: Gets the progress.

    Raises:
        InputNotFoundError: A file does not exist.
        DataError: A file is malformed. Or there are too few labels, or too few rows of a label. Or
            no row is left for validation or test.
    """
    reading = RowReading(config, listener)
    rows = reading.rows(config.inputs, "training")
    labels = _checked(rows, reading.warnings)
    given = {
        name: reading.rows([path], name, beside=True)
        for name, path in (("validation", config.validation), ("test", config.test))
        if path
    }
    reading.finish()
    with listener.step("near duplicates"):
        groups, repeats = text_groups(rows.texts, reading.warnings)
    shares = {
        name: 0.0 if name in given else share
        for name, share in (("validation", VALIDATION_SHARE), ("test", TEST_SHARE))
    }
    matrix, _ = label_matrix(rows.labels, labels)
    places = split_rows(
        groups,
        _rarest(matrix),
        shares=[1.0 - sum(shares.values()), *shares.values()],
        seed=config.seed,
    )
    names = ("training", *shares)
    split = {name: rows.take(place) for name, place in zip(names, places, strict=True)} | given
    for name, held_out in split.items():
        if not len(held_out):
            raise DataError(
                f"no row with text is left for {name}",
                "give more rows with different texts"
                + ("" if name == "training" else f", or another file with --{name}"),
            )
        _tell_unseen(held_out, name, labels, reading.warnings)
    texts = {name: one.texts for name, one in given.items()}
    leaks = count_repeats(split["training"].texts, texts, reading.warnings)
    return Splits(
        training=split["training"],
        validation=split["validation"],
        test=split["test"],
        labels=labels,
        warnings=reading.warnings,
        near_duplicates={"grouped": repeats, **leaks},
        left_out=dict(reading.left_out),
        several=True,
    )


def _checked(rows: LabelledRows, warnings: list[str]) -> tuple[str, ...]:
    """The labels of training rows, sorted.

    Args:
        rows: The rows.
        warnings: Gets labels that may be spellings of one, and those that may mean none.

    Raises:
        DataError: There are too few labels, or too few rows of one, or one is too long.
    """
    counts = list_counts(rows.labels)
    rare = [label for label, count in counts.items() if count < MIN_ROWS_PER_LABEL]
    if len(counts) < 2 or rare:
        raise DataError(
            f"{len(rows):,} rows with text have {len(counts):,} labels, {len(rare):,} of them on "
            f"fewer than {MIN_ROWS_PER_LABEL} rows" + _named(rare, counts),
            f"give at least 2 labels and {MIN_ROWS_PER_LABEL} rows of each, and check "
            "--label-column and --label-separator",
        )
    if long := sum(len(label) > LONGEST_LABEL for label in counts):
        raise DataError(
            f"{long:,} of {len(counts):,} labels have more than {LONGEST_LABEL:,} characters",
            "check --label-column and --label-separator",
        )
    if twins := labels_alike(counts):
        warnings.append(
            f"{len(twins):,} of {len(counts):,} labels differ from another one only in upper case, "
            f"blanks, invisible characters or the form of their letters{_named(twins, counts)}; "
            "they stay apart"
        )
    if missing := reads_as_missing(counts):
        warnings.append(
            f"{len(missing):,} labels read like a missing one{_named(missing, counts)}; they are "
            "learned like any other: leave them out of the lists if they mean none"
        )
    return tuple(counts)


def _tell_unseen(
    rows: LabelledRows, name: str, labels: tuple[str, ...], warnings: list[str]
) -> None:
    _, unseen = label_matrix(rows.labels, labels)
    if unseen:
        warnings.append(
            f"{len(unseen):,} labels of {name} rows are none that training knows; the rows count "
            "with their other labels"
        )


def _rarest(matrix: BoolArray) -> Int64Array:
    """What rows are divided by: their rarest label, or that they have none. Shape `(rows,)`."""
    counts = matrix.sum(axis=0)
    ranked = np.where(matrix, counts, len(matrix) + 1)
    rarest = np.where(matrix.any(axis=1), ranked.argmin(axis=1), matrix.shape[1])
    # Numbers without a gap, as `split_rows` takes them.
    return np.asarray(np.unique(rarest, return_inverse=True)[1], np.int64)


def _named(labels: list[str], counts: dict[str, int]) -> str:
    told = named_labels(labels, counts)
    return f": {told}" if told else ""
