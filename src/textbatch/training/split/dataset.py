"""Labelled rows for training: read, cleaned, and split without leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from unicodedata import normalize

import numpy as np
import pyarrow.compute as pc

from textbatch.data.readers.labelled import LabelledRows, label_counts, label_ids_of, read_labelled
from textbatch.data.readers.row_numbers import shown_rows
from textbatch.data.storage.location import Location
from textbatch.errors import DataError
from textbatch.report.listener import SILENT, Listener
from textbatch.text.normalization import split_tokens
from textbatch.training.config.train import TrainConfig
from textbatch.training.split.near_duplicates import count_repeats, text_groups
from textbatch.training.split.stratified import split_rows
from textbatch.types import Int64Array

#: Shares of the rows for validation and test, if no file is given for them.
VALIDATION_SHARE = TEST_SHARE = 0.1
#: A longer label is a text, in characters.
_LONGEST_LABEL = 1000
#: One row for each split. A rare label may still be missing in one.
MIN_ROWS_PER_LABEL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """Labelled rows, split by their use.

    Attributes:
        training: Rows to learn from.
        validation: Rows that decide when training stops, and that calibrate. They have only labels
            that training rows have.
        test: Rows for the reported metrics.
        labels: Labels of the training rows, sorted.
        warnings: What was left out, and why the metrics may look better than they are.
        near_duplicates: Number of rows that nearly repeat another: `grouped` counts those that the
            split kept on one side; `validation` and `test` count rows of these files that repeat
            a training row.
        pseudo: Unlabelled texts with the answers of a network, to learn from beside the training
            rows; None without any.
    """

    training: LabelledRows
    validation: LabelledRows
    test: LabelledRows
    labels: tuple[str, ...]
    warnings: list[str]
    near_duplicates: dict[str, int] = field(default_factory=dict)
    pseudo: LabelledRows | None = None

    def with_pseudo(self, rows: LabelledRows) -> LabelledRows:
        """Labelled rows, followed by the rows that a network has labelled."""
        return rows.followed_by(self.pseudo) if self.pseudo else rows

    def sizes(self) -> dict[str, int]:
        """Number of rows in each split."""
        return {
            "training": len(self.training),
            "validation": len(self.validation),
            "test": len(self.test),
        }


def read_splits(config: TrainConfig, *, listener: Listener = SILENT) -> Splits:
    """Read the files, leave out rows that nothing can be learned from, and split the others.

    Args:
        config: Names the files and their columns.
        listener: Gets the progress.

    Raises:
        InputNotFoundError: A file does not exist.
        DataError: A file is malformed. Or there are too few labels, or too few rows of a label. Or
            no row is left for validation or test.
    """
    warnings: list[str] = []
    rows = _drop_textless(_read(config, config.inputs, listener), "training", warnings)
    labels = _check_labels(rows)
    given = {
        name: _drop_textless(_read(config, [path], listener, beside=True), name, warnings)
        for name, path in (("validation", config.validation), ("test", config.test))
        if path
    }
    with listener.step("near duplicates"):
        groups, repeats = text_groups(rows.texts, warnings)
    split = _split(rows, labels, groups, given=given, seed=config.seed)
    held_out = {name: given.get(name, split[name]) for name in ("validation", "test")}
    for name, held in held_out.items():
        _check_held_out(held, name, labels, warnings)
    leaks = count_repeats(split["training"].texts, {n: g.texts for n, g in given.items()}, warnings)
    return Splits(
        training=split["training"],
        validation=_known_only(held_out["validation"], labels),
        test=held_out["test"],
        labels=labels,
        warnings=warnings,
        near_duplicates={"grouped": repeats, **leaks},
    )


def read_rows(
    config: TrainConfig, warnings: list[str], *, listener: Listener = SILENT
) -> tuple[LabelledRows, tuple[str, ...]]:
    """Read the rows that have a word in their text, without splitting them.

    Args:
        config: Names the files and their columns.
        warnings: Gets a message if rows were left out.
        listener: Gets the progress.

    Returns:
        The rows, and their labels, sorted.

    Raises:
        InputNotFoundError: A file does not exist.
        DataError: A file is malformed, or there are too few labels, or too few rows of a label.
    """
    rows = _drop_textless(_read(config, config.inputs, listener), "training", warnings)
    return rows, _check_labels(rows)


def _read(
    config: TrainConfig,
    inputs: Sequence[Location],
    listener: Listener,
    *,
    beside: bool = False,
) -> LabelledRows:
    with listener.step("reading") as step:
        return read_labelled(
            inputs,
            config.reading(),
            beside=beside,
            text_column=config.text_column,
            label_column=config.label_column,
            skip_unlabelled=config.skip_unlabelled,
            on_read=step.advance,
        )


def _check_labels(rows: LabelledRows) -> tuple[str, ...]:
    counted = label_counts(rows)
    rare = sorted(label for label, count in counted.items() if count < MIN_ROWS_PER_LABEL)
    if len(counted) < 2 or rare:
        # The message counts labels and does not name them: in a wrong column they could be texts.
        raise DataError(
            f"{len(rows):,} rows with text have {len(counted):,} labels, {len(rare):,} of them on "
            f"fewer than {MIN_ROWS_PER_LABEL} rows",
            f"give at least 2 labels and {MIN_ROWS_PER_LABEL} rows of each, and check "
            "--label-column",
        )
    _check_apart(counted)
    return tuple(sorted(counted))


def _check_apart(labels: Collection[str]) -> None:
    """Refuse labels that nobody could tell apart, or read."""
    alike = Counter(" ".join(normalize("NFKC", label).casefold().split()) for label in labels)
    if many := sum(count for count in alike.values() if count > 1):
        raise DataError(
            f"{many:,} of {len(labels):,} labels differ from another one only in upper case, "
            "blanks or the form of their letters",
            "write each label in one way",
        )
    if long := sum(len(label) > _LONGEST_LABEL for label in labels):
        raise DataError(
            f"{long:,} of {len(labels):,} labels have more than {_LONGEST_LABEL:,} characters",
            "check --label-column",
        )


def _split(
    rows: LabelledRows,
    labels: tuple[str, ...],
    groups: Int64Array,
    *,
    given: Collection[str],
    seed: int,
) -> dict[str, LabelledRows]:
    """Split rows. A split that has a file of its own stays empty."""
    wanted = {"validation": VALIDATION_SHARE, "test": TEST_SHARE}
    shares = {name: 0.0 if name in given else share for name, share in wanted.items()}
    shares = {"training": 1.0 - sum(shares.values()), **shares}
    label_ids, _ = label_ids_of(rows.labels, labels)
    places = split_rows(groups, label_ids, shares=list(shares.values()), seed=seed)
    return {name: rows.take(place) for name, place in zip(shares, places, strict=True)}


def _check_held_out(
    rows: LabelledRows, name: str, labels: tuple[str, ...], warnings: list[str]
) -> None:
    _, unseen = label_ids_of(rows.labels, labels)
    left_out = sum(unseen.values())
    if left_out == len(rows):
        raise DataError(
            f"no row with text and a label that training knows is left for {name}",
            f"give more rows with different texts, or another file with --{name}",
        )
    if left_out:
        warnings.append(
            f"{left_out:,} {name} rows have labels that training never saw; they are left out"
        )


def _drop_textless(rows: LabelledRows, name: str, warnings: list[str]) -> LabelledRows:
    if rows.left_out is not None:
        warnings.append(
            f"{len(rows.left_out):,} {name} rows have no label; they are left out: "
            f"{shown_rows(rows.left_out)}"
        )
    _, offsets = split_tokens(pc.fill_null(rows.texts, ""))
    kept = np.flatnonzero(np.diff(offsets))
    if dropped := len(rows) - len(kept):
        warnings.append(f"{dropped:,} {name} rows have no word in their text; they are left out")
    return rows.take(kept)


def _known_only(rows: LabelledRows, labels: tuple[str, ...]) -> LabelledRows:
    label_ids, _ = label_ids_of(rows.labels, labels)
    return rows.take(np.flatnonzero(label_ids >= 0))
