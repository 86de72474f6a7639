"""Labels of training rows: spellings are merged, rare ones left out or folded, others checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.label_shares import renamed_shares
from textbatch.data.readers.label_values import (
    LONGEST_LABEL,
    label_key,
    labels_alike,
    named_labels,
    reads_as_missing,
    renamed,
    respelled,
    spelling_groups,
    spellings_of,
)
from textbatch.data.readers.labelled_rows import LabelledRows, label_counts
from textbatch.errors import DataError
from textbatch.training.config.groups import MIN_ROWS_PER_LABEL, RowOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNames:
    """Which names the labels of all files get.

    Attributes:
        spellings: The spelling of each key; empty if labels are not merged.
        rare: The label that stands for each rare one; None leaves its rows out.
        groups: Spellings of one label, together, with their rows, whether merged or not.
    """

    spellings: Mapping[str, str] = field(default_factory=dict)
    rare: Mapping[str, str | None] = field(default_factory=dict)
    groups: list[dict[str, int]] = field(default_factory=list)

    def given_to(self, rows: LabelledRows) -> LabelledRows:
        """Give them to rows. Rows of labels that are left out are gone."""
        if not (self.spellings or self.rare):
            return rows
        labels = self._renamed(rows.labels)
        shares = None if rows.shares is None else renamed_shares(rows.shares, self._renamed)
        named = replace(rows, labels=labels, shares=shares)
        if not labels.null_count:
            return named
        return named.take(np.flatnonzero(pc.is_valid(labels).to_numpy(zero_copy_only=False)))

    def _renamed(self, labels: pa.Array) -> pa.Array:
        return renamed(respelled(labels, self.spellings), self.rare)


def names_of(config: RowOptions, rows: LabelledRows, warnings: list[str]) -> LabelNames:
    """Decide about the names of labels by the training rows.

    Args:
        config: Tells what is wanted.
        rows: The training rows.
        warnings: Gets what was merged, folded or left out.
    """
    counts = label_counts(rows)
    spellings = spellings_of(counts) if config.normalize_labels else {}
    if spellings and (merged := labels_alike(counts)):
        count = len({label_key(one) for one in merged})
        warnings.append(
            f"{len(merged):,} spellings are {count:,} label{'s'[: count > 1]}"
            + _told(merged, counts)
        )
    merged_counts: Counter[str] = Counter()
    for label, count in counts.items():
        merged_counts[spellings.get(label_key(label), label)] += count
    rare = [one for one, count in merged_counts.items() if count < config.rare_below]
    if rare:
        count = sum(merged_counts[one] for one in rare)
        fate = "left out" if config.other is None else "given the label of --other"
        warnings.append(
            f"{count:,} training row{'s'[: count > 1]} of {len(rare):,} "
            f"label{'s'[: len(rare) > 1]} with fewer than "
            f"{config.rare_below:,} rows: {fate}" + _told(rare, merged_counts)
        )
    return LabelNames(
        spellings=spellings,
        rare=dict.fromkeys(rare, config.other),
        groups=spelling_groups(counts),
    )


def checked_labels(rows: LabelledRows, warnings: list[str]) -> tuple[str, ...]:
    """The labels of training rows, sorted.

    Args:
        rows: The rows.
        warnings: Gets labels that may be spellings of one, and those that may mean none.

    Raises:
        DataError: There are too few labels, or too few rows of one, or one is too long.
    """
    counts = label_counts(rows)
    rare = [label for label, count in counts.items() if count < MIN_ROWS_PER_LABEL]
    if len(counts) < 2 or rare:
        some, alike = len(counts) - len(rare) > 1, {*labels_alike(counts)}
        raise DataError(
            f"{len(rows):,} rows with text have {len(counts):,} labels, {len(rare):,} of them on "
            f"fewer than {MIN_ROWS_PER_LABEL} rows" + _told(rare, counts),
            f"give at least 2 labels and {MIN_ROWS_PER_LABEL} rows of each, and check "
            "--label-column"
            + (
                f"; --min-rows-per-label {MIN_ROWS_PER_LABEL} leaves such rows out, --other LABEL "
                "gives them one label"
                if some
                else ""
            )
            # A spelling of another label is rare, but nothing to leave out.
            + ("; --normalize-labels merges spellings" if {*rare} & alike else ""),
        )
    if long := sum(len(label) > LONGEST_LABEL for label in counts):
        raise DataError(
            f"{long:,} of {len(counts):,} labels have more than {LONGEST_LABEL:,} characters",
            "check --label-column",
        )
    if twins := labels_alike(counts):
        warnings.append(
            f"{len(twins):,} of {len(counts):,} labels differ from another one only in upper case, "
            f"blanks, invisible characters or the form of their letters{_told(twins, counts)}; "
            "they stay apart: --normalize-labels merges them"
        )
    if missing := reads_as_missing(counts):
        rows_of = sum(counts[one] for one in missing)
        warnings.append(
            f"{rows_of:,} training rows have a label that reads like a missing one"
            f"{_told(missing, counts)}; it is learned like any other: if it means none, leave the "
            "cells empty"
        )
    return tuple(sorted(counts))


def few_for_folds(counts: Mapping[str, int], folds: int) -> str | None:
    """A warning about labels that not every fold has a row of; None if there are none.

    Args:
        counts: Rows of each label.
        folds: How many folds there are.
    """
    few = [label for label, count in counts.items() if count < folds]
    if not few:
        return None
    one = len(few) == 1
    return (
        f"{len(few):,} label{'' if one else 's'} {'has' if one else 'have'} fewer rows than there "
        f"are folds, {folds}{_told(few, counts)}; what is measured of "
        f"{'it' if one else 'them'} says little: label more, or fold "
        f"{'it' if one else 'them'} into one with --min-rows-per-label {folds} --other LABEL"
    )


def _told(labels: list[str], counts: Mapping[str, int]) -> str:
    named = named_labels(labels, counts)
    return f": {named}" if named else ""
