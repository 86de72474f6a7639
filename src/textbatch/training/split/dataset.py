"""Labelled rows for training: read, cleaned, and split without leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow.compute as pc

from textbatch.data.output.quarantine import BadRowList
from textbatch.data.readers.class_labels import LabelChoice
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.labelled_rows import LabelledRows, label_ids_of
from textbatch.data.readers.row_numbers import shown_rows
from textbatch.data.storage.location import Location
from textbatch.errors import DataError
from textbatch.report.listener import SILENT, Listener
from textbatch.text.normalization import split_tokens
from textbatch.training.config.train import TrainConfig
from textbatch.training.split.labels import LabelNames, checked_labels, names_of
from textbatch.training.split.near_duplicates import count_repeats, text_groups
from textbatch.training.split.stratified import split_rows
from textbatch.types import Int64Array

#: Shares of the rows for validation and test, if no file is given for them.
VALIDATION_SHARE = TEST_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """Labelled rows, split by their use.

    Attributes:
        training: Rows to learn from.
        validation: Rows that decide when training stops, and that calibrate. They have only labels
            that training rows have. None in a cross-fitting.
        test: Rows for the reported metrics.
        labels: Labels of the training rows, sorted.
        warnings: What was left out, and why the metrics may look better than they are.
        near_duplicates: Number of rows that nearly repeat another: `grouped` counts those that the
            split kept on one side; `validation` and `test` count rows of these files that repeat
            a training row.
        pseudo: Unlabelled texts with the answers of a network, to learn from beside the training
            rows; None without any.
        left_out: How many rows were left out, by the reason.
        spellings: Labels of the files that differ only by case, blanks, invisible characters or
            the form of letters, together, with their rows.
        several: Whether rows have any number of labels; see `multi_labels` for how they hold them.
    """

    training: LabelledRows
    validation: LabelledRows
    test: LabelledRows
    labels: tuple[str, ...]
    warnings: list[str]
    near_duplicates: dict[str, int] = field(default_factory=dict)
    pseudo: LabelledRows | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    spellings: list[dict[str, int]] = field(default_factory=list)
    several: bool = False

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


def read_splits(
    config: TrainConfig,
    *,
    listener: Listener = SILENT,
    whole: Callable[[LabelledRows, Int64Array], bool] = lambda _rows, _groups: False,
) -> Splits:
    """Read the files, leave out rows that nothing can be learned from, and split the others.

    Args:
        config: Names the files and their columns.
        listener: Gets the progress.
        whole: Decides, from the rows and the numbers of their groups, whether all of them are
            training rows, for a cross-fitting. Then none is split off for validation, and without
            a test file the test rows are the training rows.

    Raises:
        InputNotFoundError: A file does not exist.
        DataError: A file is malformed. Or there are too few labels, or too few rows of a label. Or
            no row is left for validation or test.
    """
    reading = RowReading(config, listener)
    warnings = reading.warnings
    rows, names = reading.training_rows()
    old = None
    if config.old_rows is not None:
        old = names.given_to(reading.rows([config.old_rows], "old", beside=True))
    labels = checked_labels(rows.followed_by(old) if old else rows, warnings)
    given = {
        name: names.given_to(reading.rows([path], name, beside=True))
        for name, path in (("validation", config.validation), ("test", config.test))
        if path
    }
    reading.finish()
    with listener.step("near duplicates"):
        groups, repeats = text_groups(rows.texts, warnings)
    if together := whole(rows, groups):
        nothing = rows.take(np.empty(0, np.int64))
        split = {"training": rows, "validation": nothing, "test": rows}
    else:
        split = _split(rows, labels, groups, given=given, seed=config.seed)
    held_out = {name: given.get(name, split[name]) for name in ("validation", "test")}
    for name, held in held_out.items():
        if name in given or not together:
            _check_held_out(held, name, labels, warnings)
    training, apart = split["training"], given
    if old:
        # They were not split: rows that measure may repeat them.
        training, apart = training.followed_by(old), held_out
    leaks = count_repeats(training.texts, {n: g.texts for n, g in apart.items()}, warnings)
    return Splits(
        training=training,
        validation=_known_only(held_out["validation"], labels),
        test=held_out["test"],
        labels=labels,
        warnings=warnings,
        near_duplicates={"grouped": repeats, **leaks},
        left_out=dict(reading.left_out),
        spellings=names.groups,
    )


def read_rows(
    config: TrainConfig,
    warnings: list[str],
    *,
    known: Collection[str] = (),
    listener: Listener = SILENT,
) -> tuple[LabelledRows, tuple[str, ...]]:
    """Read the rows that have a word in their text, without splitting them.

    Args:
        config: Names the files and their columns.
        warnings: Gets a message if rows were left out.
        known: Labels of the model that is asked, if there is one.
        listener: Gets the progress.

    Returns:
        The rows, and their labels, sorted.

    Raises:
        InputNotFoundError: A file does not exist.
        DataError: A file is malformed, or there are too few labels, or too few rows of a label.
    """
    reading = RowReading(config, listener, known)
    rows, _ = reading.training_rows()
    labels = checked_labels(rows, reading.warnings)
    reading.finish()
    warnings += reading.warnings
    return rows, labels


class RowReading:
    """Reads files of labelled rows, and notes what it leaves out.

    Attributes:
        warnings: What was left out, in words.
        left_out: How many rows were left out, by the reason.
    """

    def __init__(
        self, config: TrainConfig, listener: Listener, known: Collection[str] = ()
    ) -> None:
        self._config, self._listener, self._known = config, listener, known
        self._bad = BadRowList(config.quarantine, config.max_bad_rows)
        self._rows_read = 0
        self.warnings: list[str] = []
        self.left_out: Counter[str] = Counter()

    def training_rows(self) -> tuple[LabelledRows, LabelNames]:
        """The rows of the inputs, and the names of the labels that those of all files get."""
        rows = self.rows(self._config.inputs, "training")
        names = names_of(self._config, rows, self.warnings)
        named = names.given_to(rows)
        self.left_out += Counter(rare_label=len(rows) - len(named))
        return named, names

    def rows(self, inputs: Sequence[Location], name: str, *, beside: bool = False) -> LabelledRows:
        """Read files; leave out what nothing can be learned from.

        Args:
            inputs: The files.
            name: What the rows are for, in words.
            beside: Whether they come in addition to the rows to learn from.
        """
        config = self._config
        with self._listener.step("reading") as step:
            rows = read_labelled(
                inputs,
                config.reading(),
                beside=beside,
                text_column=config.text_column,
                label_column=LabelChoice(
                    column=config.label_column,
                    naming=config.label_names,
                    weight=config.weight_column,
                    soft=config.soft_labels,
                    confidence=config.confidence_column,
                    several=config.multi_label,
                    separator=config.label_separator,
                    known=self._known,
                ),
                skip_unlabelled=config.skip_unlabelled,
                on_bad=self._bad.taker,
                on_read=step.advance,
            )
        self._rows_read += rows.rows_read
        _, offsets = split_tokens(pc.fill_null(rows.texts, ""))
        kept = np.flatnonzero(np.diff(offsets))
        numbers = rows.left_out
        unlabelled = 0 if numbers is None else len(numbers)
        self._tell(
            rows.unreadable, "unreadable", f"{name} rows cannot be read", f"see {config.quarantine}"
        )
        self._tell(
            unlabelled,
            "unlabelled",
            f"{name} rows have no label",
            "" if numbers is None else shown_rows(numbers),
        )
        self._tell(rows.weightless, "weight_0", f"{name} rows have weight 0")
        self._tell(len(rows) - len(kept), "no_words", f"{name} rows have no word in their text")
        return rows.take(kept)

    def finish(self) -> None:
        """Check how many rows cannot be read, and write their list, if there is a file for it."""
        self._bad.write(self._rows_read)

    def _tell(self, count: int, reason: str, what: str, where: str = "") -> None:
        if count:
            self.left_out[reason] += count
            told = f"{count:,} {what}; they are left out"
            self.warnings.append(f"{told}: {where}" if where else told)


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


def _known_only(rows: LabelledRows, labels: tuple[str, ...]) -> LabelledRows:
    label_ids, _ = label_ids_of(rows.labels, labels)
    return rows.take(np.flatnonzero(label_ids >= 0))
