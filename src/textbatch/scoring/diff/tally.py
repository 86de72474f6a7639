"""What is counted of rows that both sides have answered."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from textbatch.scoring.diff.answers import NONE, Answers, Block
from textbatch.types import CONFIDENCE_BINS, BoolArray, Int32Array, Int64Array

#: Bins of the histogram of changes of the confidence, from -1 to 1.
SHIFT_BINS = 40
#: No more labels and statuses have codes.
_MOST_CODES = 1 << 31
Pairs = Counter[tuple[int, int]]


class Tally:
    """Counts that grow block by block. They take memory by the labels, not by the rows.

    Attributes:
        rows: Rows that both sides have.
        flips: Rows with another label, by the codes of both labels; `NONE` is no label.
        mended: Flips that were wrong and are right now, by the codes of both labels.
        broken: Flips that were right and are wrong now, by the codes of both labels.
        statuses: Rows by the codes of their statuses.
        old_labels: Rows by the code of the old label.
        new_labels: Rows by the code of the new label.
        true_rows: Rows with a true label that counts.
        unseen: Rows whose true label no side can give, by its code; they do not count.
        right: Rows by whether the old side and the new one are right.
        confident: Rows with a confidence on both sides.
        old_sum: Sum of the old confidences of these.
        new_sum: Sum of the new ones.
        moved_sum: Sum of the absolute differences.
        old_bins: Old confidences, of all rows that have one, in equal bins from 0 to 1.
        new_bins: New confidences.
        shift_bins: Differences of the confidences, in equal bins from -1 to 1.
    """

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self.rows = self.true_rows = self.confident = 0
        self.flips, self.mended, self.broken = Pairs(), Pairs(), Pairs()
        self.statuses = Pairs()
        self.old_labels, self.new_labels = Counter[int](), Counter[int]()
        self.unseen = Counter[int]()
        self.right = Counter[tuple[bool, bool]]()
        self.old_sum = self.new_sum = self.moved_sum = 0.0
        self.old_bins: Int64Array = np.zeros(CONFIDENCE_BINS, np.int64)
        self.new_bins: Int64Array = np.zeros(CONFIDENCE_BINS, np.int64)
        self.shift_bins: Int64Array = np.zeros(SHIFT_BINS, np.int64)

    def add(self, block: Block, known: Int32Array | None) -> None:
        """Count the rows of a block.

        Args:
            block: The rows.
            known: Codes of the labels that a side can give; None if that is not known, so that
                every true label counts. Shape `(labels,)`.
        """
        old, new = block.old, block.new
        self.rows += len(old)
        flipped = old.labels != new.labels
        _count_pairs(self.flips, old.labels[flipped], new.labels[flipped])
        _count_pairs(self.statuses, old.statuses, new.statuses)
        for labels, into in ((old.labels, self.old_labels), (new.labels, self.new_labels)):
            found, counts = np.unique(labels, return_counts=True)
            into.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
        self._add_confidences(old, new)
        if block.true is not None:
            self._add_truth(block, block.true, flipped, known)

    def _add_confidences(self, old: Answers, new: Answers) -> None:
        for side, bins in ((old, self.old_bins), (new, self.new_bins)):
            bins += _binned(side.confidences, 0, 1, CONFIDENCE_BINS)
        both = ~(np.isnan(old.confidences) | np.isnan(new.confidences))
        before, after = old.confidences[both], new.confidences[both]
        self.confident += len(before)
        self.old_sum += float(before.sum())
        self.new_sum += float(after.sum())
        self.moved_sum += float(np.abs(after - before).sum())
        self.shift_bins += _binned(after - before, -1, 1, SHIFT_BINS)

    def _add_truth(
        self, block: Block, true: Int32Array, flipped: BoolArray, known: Int32Array | None
    ) -> None:
        counts = true != NONE
        if known is not None:
            seen = np.isin(true, known)
            codes, rows = np.unique(true[counts & ~seen], return_counts=True)
            self.unseen.update(dict(zip(codes.tolist(), rows.tolist(), strict=True)))
            counts &= seen
        self.true_rows += int(counts.sum())
        before = block.old.labels == true
        after = block.new.labels == true
        for was in (True, False):
            for now in (True, False):
                self.right[was, now] += int((counts & (before == was) & (after == now)).sum())
        for which, into in ((~before & after, self.mended), (before & ~after, self.broken)):
            rows_of = flipped & counts & which
            _count_pairs(into, block.old.labels[rows_of], block.new.labels[rows_of])


def _count_pairs(into: Pairs, first: Int32Array, second: Int32Array) -> None:
    """Count pairs of codes.

    Args:
        into: The counts, which are changed.
        first: Shape `(rows,)`.
        second: Shape `(rows,)`.
    """
    pairs = (first.astype(np.int64) + 1) * _MOST_CODES + (second + 1)
    found, counts = np.unique(pairs, return_counts=True)
    for pair, count in zip(found.tolist(), counts.tolist(), strict=True):
        into[pair // _MOST_CODES - 1, pair % _MOST_CODES - 1] += count


def _binned(values: NDArray[np.float64], low: float, high: float, bins: int) -> Int64Array:
    values = values[~np.isnan(values)]
    places = np.clip(((values - low) * (bins / (high - low))).astype(np.int64), 0, bins - 1)
    return np.bincount(places, minlength=bins)
