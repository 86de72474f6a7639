"""Labelled rows in memory: thousands to a few million."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.label_shares import certain, dense_shares
from textbatch.types import BoolArray, Float32Array, Float64Array, Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRows:
    """Texts with their true labels.

    Attributes:
        texts: Strings; null where a row has no text. Shape `(rows,)`.
        labels: Strings, never null. Shape `(rows,)`.
        row_numbers: Numbers of the rows in the input, from 1. Several files are counted one after
            the other. None for made-up rows. Shape `(rows,)`.
        left_out: Numbers of the rows without a label, which were left out; None if there are none.
        unreadable: How many rows could not be read, and were left out.
        weights: How much each row counts, larger than 0; None if all count the same. Shape
            `(rows,)`.
        weightless: How many rows have weight 0, and were left out.
        shares: Labels with shares, of which `labels` has the first; None if the labels are sure.
            See `soft_labels`. Shape `(rows,)`.
    """

    texts: pa.Array
    labels: pa.Array
    row_numbers: Int64Array | None = None
    left_out: Int64Array | None = None
    unreadable: int = 0
    weights: Float64Array | None = None
    weightless: int = 0
    shares: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def rows_read(self) -> int:
        """How many rows the files have, those that were left out too."""
        unlabelled = 0 if self.left_out is None else len(self.left_out)
        return len(self) + self.unreadable + unlabelled + self.weightless

    def weights_of(self, rows: BoolArray | Int64Array) -> Float64Array | None:
        """Weights of some rows, by mask or position, `(rows,)`; None if all count the same."""
        return None if self.weights is None else self.weights[rows]

    def take(self, positions: Int64Array) -> LabelledRows:
        """Select the rows at given positions, in this order. Shape of `positions`: `(taken,)`."""
        taken = pa.array(positions)
        return LabelledRows(
            texts=self.texts.take(taken),
            labels=self.labels.take(taken),
            row_numbers=None if self.row_numbers is None else self.row_numbers[positions],
            weights=None if self.weights is None else self.weights[positions],
            shares=None if self.shares is None else self.shares.take(taken),
        )

    def followed_by(self, others: LabelledRows) -> LabelledRows:
        """Append other rows. Row numbers are dropped, because they count in different inputs."""
        return joined_rows([self, others])

    def targets(self, labels: Sequence[str]) -> Float32Array | None:
        """What a model should answer, by the shares; None if the labels are sure.

        Args:
            labels: The labels, in order. Each row's own is one of them.

        Returns:
            Each row adds up to 1. Shape `(rows, labels)`.
        """
        return None if self.shares is None else dense_shares(self.shares, labels)


def joined_rows(parts: Sequence[LabelledRows]) -> LabelledRows:
    """Put rows one after the other, without their numbers.

    Args:
        parts: At least one.
    """
    weights = shares = None
    if any(part.weights is not None for part in parts):
        ones = [np.ones(len(part)) if part.weights is None else part.weights for part in parts]
        weights = np.concatenate(ones)
    if any(part.shares is not None for part in parts):
        shares = pa.concat_arrays(
            [certain(part.labels) if part.shares is None else part.shares for part in parts]
        )
    return LabelledRows(
        texts=pa.concat_arrays([part.texts for part in parts]),
        labels=pa.concat_arrays([part.labels for part in parts]),
        weights=weights,
        shares=shares,
    )


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
