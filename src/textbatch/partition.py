"""Labelled rows for training: read, cleaned, and split without leaks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.batch import Int64Array
from textbatch.config import TrainConfig
from textbatch.data.labelled import LabelledRows, read_labelled
from textbatch.errors import DataError
from textbatch.evaluation import label_ids_of
from textbatch.quality.splitting import split_rows
from textbatch.text.normalization import split_tokens

#: Shares of the rows for validation and for the reported metrics, where no file is given.
VALIDATION_SHARE = TEST_SHARE = 0.1
#: One row for training, one for validation, one for the test.
MIN_ROWS_PER_LABEL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Labelled rows by what they are for.

    Attributes:
        training: To learn from.
        validation: To stop early and to calibrate with; only labels that training has.
        test: For the reported metrics.
        labels: Of the training rows, sorted.
        warnings: What was left out.
    """

    training: LabelledRows
    validation: LabelledRows
    test: LabelledRows
    labels: tuple[str, ...]
    warnings: list[str]

    def sizes(self) -> dict[str, int]:
        """Rows by part."""
        return {
            "training": len(self.training),
            "validation": len(self.validation),
            "test": len(self.test),
        }


def read_parts(config: TrainConfig) -> Parts:
    """Read the files, drop what cannot be learned from, and split."""
    read = partial(read_labelled, text_column=config.text_column, label_column=config.label_column)
    warnings: list[str] = []
    rows = _drop_textless(read(config.inputs), "training", warnings)
    labels = _check_labels(rows)
    given = {
        name: _drop_textless(read([path]), name, warnings)
        for name, path in (("validation", config.validation), ("test", config.test))
        if path
    }
    shares = [
        0.0,
        0.0 if "validation" in given else VALIDATION_SHARE,
        0.0 if "test" in given else TEST_SHARE,
    ]
    shares[0] = 1.0 - sum(shares)
    label_ids, _ = label_ids_of(rows.labels, labels)
    split = split_rows(_equal_text_groups(rows.texts), label_ids, shares=shares, seed=config.seed)
    training, validation, test = (_take(rows, part) for part in split)
    for name, part in given.items():
        _, unseen = label_ids_of(part.labels, labels)
        if unseen:
            warnings.append(
                f"{sum(unseen.values()):,} {name} rows have labels that training never saw; "
                "they are left out"
            )
    return Parts(
        training=training,
        validation=_known_only(given.get("validation", validation), labels),
        test=given.get("test", test),
        labels=labels,
        warnings=warnings,
    )


def label_counts(rows: LabelledRows) -> dict[str, int]:
    """Rows by label, sorted by label."""
    counted = {e["values"]: e["counts"] for e in pc.value_counts(rows.labels).to_pylist()}
    return dict(sorted(counted.items()))


def _check_labels(rows: LabelledRows) -> tuple[str, ...]:
    counted = label_counts(rows)
    rare = sorted(label for label, count in counted.items() if count < MIN_ROWS_PER_LABEL)
    if len(counted) < 2 or rare:
        # Labels are told by number, not by name: in a wrong column they could be texts.
        raise DataError(
            f"{len(rows):,} rows with text have {len(counted):,} labels, {len(rare):,} of them on "
            f"fewer than {MIN_ROWS_PER_LABEL} rows",
            f"give at least 2 labels and {MIN_ROWS_PER_LABEL} rows of each, and check "
            "--label-column",
        )
    return tuple(sorted(counted))


def _drop_textless(rows: LabelledRows, name: str, warnings: list[str]) -> LabelledRows:
    _, offsets = split_tokens(pc.fill_null(rows.texts, ""))
    kept = np.flatnonzero(np.diff(offsets))
    if dropped := len(rows) - len(kept):
        warnings.append(f"{dropped:,} {name} rows have no word in their text; they are left out")
    return _take(rows, kept)


def _known_only(rows: LabelledRows, labels: tuple[str, ...]) -> LabelledRows:
    label_ids, _ = label_ids_of(rows.labels, labels)
    return _take(rows, np.flatnonzero(label_ids >= 0))


def _take(rows: LabelledRows, positions: Int64Array) -> LabelledRows:
    taken = pa.array(positions)
    return LabelledRows(texts=rows.texts.take(taken), labels=rows.labels.take(taken))


def _equal_text_groups(texts: pa.Array) -> Int64Array:
    """Number rows so that texts of the same tokens share a number. Shape `(rows,)`."""
    tokens, offsets = split_tokens(texts)
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), tokens.cast(pa.string()))
    joined = pc.binary_join(lists, " ")
    return np.asarray(joined.dictionary_encode().indices.to_numpy(), np.int64)
