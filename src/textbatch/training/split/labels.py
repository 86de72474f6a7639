"""Labels of training rows: spellings are merged, rare ones left out or folded, others checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow.compute as pc

from textbatch.data.readers.label_values import (
    LONGEST_LABEL,
    label_key,
    labels_alike,
    named_labels,
    renamed,
    respelled,
    spellings_of,
)
from textbatch.data.readers.labelled import LabelledRows, label_counts
from textbatch.errors import DataError
from textbatch.training.config.groups import MIN_ROWS_PER_LABEL, RowOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNames:
    """Which names the labels of all files get.

    Attributes:
        spellings: The spelling of each key; empty if labels are not merged.
        rare: The label that stands for each rare one; None leaves its rows out.
    """

    spellings: Mapping[str, str] = field(default_factory=dict)
    rare: Mapping[str, str | None] = field(default_factory=dict)

    def given_to(self, rows: LabelledRows) -> LabelledRows:
        """Give them to rows. Rows of labels that are left out are gone."""
        if not (self.spellings or self.rare):
            return rows
        labels = renamed(respelled(rows.labels, self.spellings), self.rare)
        named = replace(rows, labels=labels)
        if not labels.null_count:
            return named
        return named.take(np.flatnonzero(pc.is_valid(labels).to_numpy(zero_copy_only=False)))


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
    return LabelNames(spellings=spellings, rare=dict.fromkeys(rare, config.other))


def checked_labels(rows: LabelledRows) -> tuple[str, ...]:
    """The labels of training rows, sorted.

    Args:
        rows: The rows.

    Raises:
        DataError: There are too few labels, or too few rows of one, or nobody could tell two apart.
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
    _check_apart(counts)
    return tuple(sorted(counts))


def _check_apart(counts: Mapping[str, int]) -> None:
    """Refuse labels that nobody could tell apart, or read."""
    if alike := labels_alike(counts):
        raise DataError(
            f"{len(alike):,} of {len(counts):,} labels differ from another one only in upper case, "
            "blanks or the form of their letters" + _told(alike, counts),
            "write each label in one way, or merge them with --normalize-labels",
        )
    if long := sum(len(label) > LONGEST_LABEL for label in counts):
        raise DataError(
            f"{long:,} of {len(counts):,} labels have more than {LONGEST_LABEL:,} characters",
            "check --label-column",
        )


def _told(labels: list[str], counts: Mapping[str, int]) -> str:
    named = named_labels(labels, counts)
    return f": {named}" if named else ""
