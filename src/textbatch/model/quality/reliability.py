"""Answers beside the true labels, and the histograms that the pages draw of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textbatch.model.quality.calibration import ECE_BINS
from textbatch.types import CONFIDENCE_BINS, Float32Array, Float64Array, Int64Array

_LENGTH_BINS = 32
#: Texts longer than this many times the limit are all in the last bin.
_LONGEST_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Answers of a model for labelled rows whose labels it knows.

    Attributes:
        positions: Positions of the rows among all rows that were read. Shape `(rows,)`.
        true: True label ids. Shape `(rows,)`.
        evidence: Whether the row has a known token. Shape `(rows,)`.
        uncalibrated: Probabilities at temperature 1. Shape `(rows with evidence, labels)`.
        calibrated: Probabilities as `score` writes them. Shape `(rows with evidence, labels)`.
        weights: Of the rows; None if they count the same. Shape `(rows,)`.
    """

    positions: Int64Array
    true: Int64Array
    evidence: NDArray[np.bool_]
    uncalibrated: Float32Array
    calibrated: Float32Array
    weights: Float64Array | None = None

    @property
    def answered_weights(self) -> Float64Array | None:
        """The weights of the rows with evidence; None if all count the same."""
        return None if self.weights is None else self.weights[self.evidence]

    @property
    def predicted(self) -> Int64Array:
        """Predicted label ids; -1 without evidence. Shape `(rows,)`."""
        predicted = np.full(len(self.true), -1)
        # From the probabilities, as `score` does: two logits that differ may round to one value.
        predicted[self.evidence] = self.calibrated.argmax(axis=1)
        return predicted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Rows whose confidence is between two bounds.

    Attributes:
        low: Lower bound.
        high: Upper bound.
        rows: Number of rows.
        confidence: Mean confidence of the rows, by weight; None without rows.
        accuracy: Share of right answers, by weight; None without rows.
    """

    low: float
    high: float
    rows: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthHistogram:
    """How long texts are, in tokens.

    Attributes:
        edges: Edges of the bins: one more than there are bins. Whole numbers.
        counts: Number of texts in each bin. The last bin holds all longer texts too.
        limit: Number of tokens that the model reads of a text.
        cut: Number of texts that are longer than the limit.
        median: Median length.
        longest: Largest length.
    """

    edges: tuple[int, ...]
    counts: tuple[int, ...]
    limit: int
    cut: int
    median: float
    longest: int


def reliability_bins(
    probabilities: Float32Array,
    label_ids: Int64Array,
    *,
    num_bins: int = ECE_BINS,
    weights: Float64Array | None = None,
) -> tuple[ReliabilityBin, ...]:
    """Compare confidence with accuracy (Niculescu-Mizil and Caruana 2005), in the bins of the ECE.

    Args:
        probabilities: Shape `(rows, labels)`.
        label_ids: True labels. Shape `(rows,)`.
        num_bins: Number of bins of equal width from 0 to 1.
        weights: Of the rows; None if they count the same. Shape `(rows,)`.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == label_ids
    return bins_of(confidence, correct, num_bins=num_bins, weights=weights)


def bins_of(
    confidence: Float64Array,
    correct: NDArray[np.bool_],
    *,
    num_bins: int = ECE_BINS,
    weights: Float64Array | None = None,
) -> tuple[ReliabilityBin, ...]:
    """Compare confidence with accuracy, where the answers alone are known.

    Args:
        confidence: Of each answer, from 0 to 1. Shape `(rows,)`.
        correct: Whether it is right. Shape `(rows,)`.
        num_bins: Number of bins of equal width from 0 to 1.
        weights: Of the rows; None if they count the same. Shape `(rows,)`.
    """
    bins = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    rows = np.bincount(bins, minlength=num_bins)
    counts = rows if weights is None else np.bincount(bins, weights, minlength=num_bins)
    of_row = 1 if weights is None else weights
    sums = np.bincount(bins, weights=confidence * of_row, minlength=num_bins)
    right = np.bincount(bins, weights=correct * of_row, minlength=num_bins)
    return tuple(
        ReliabilityBin(
            low=i / num_bins,
            high=(i + 1) / num_bins,
            rows=int(rows[i]),
            confidence=float(sums[i] / counts[i]) if rows[i] else None,
            accuracy=float(right[i] / counts[i]) if rows[i] else None,
        )
        for i in range(num_bins)
    )


def confidence_histogram(
    probabilities: Float32Array, label_ids: Int64Array
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Count right and wrong answers by confidence, in `CONFIDENCE_BINS` equal bins from 0 to 1.

    Args:
        probabilities: Shape `(rows, labels)`.
        label_ids: True labels. Shape `(rows,)`.

    Returns:
        Counts of the right answers and counts of the wrong ones, one for each bin.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == label_ids
    right, wrong = (
        np.histogram(confidence[chosen], bins=CONFIDENCE_BINS, range=(0.0, 1.0))[0]
        for chosen in (correct, ~correct)
    )
    return tuple(right.tolist()), tuple(wrong.tolist())


def length_histogram(lengths: Int64Array, limit: int) -> LengthHistogram:
    """Make a histogram of text lengths in tokens. The limit is an edge of a bin.

    Args:
        lengths: Lengths before cutting. Not empty. Shape `(texts,)`.
        limit: Longer texts are cut.
    """
    longest = int(lengths.max())
    shown = min(max(longest, limit), _LONGEST_SHOWN * limit)
    width = max(1, -(-shown // _LENGTH_BINS))
    # A bin ends at the limit, so that no bin holds both texts that are cut and others.
    edges = [limit + 1]
    while edges[0] > 1:
        edges.insert(0, max(1, edges[0] - width))
    while edges[-1] <= shown:
        edges.append(edges[-1] + width)
    counts, _ = np.histogram(np.clip(lengths, 1, edges[-1] - 1), bins=edges)
    return LengthHistogram(
        edges=tuple(edges),
        counts=tuple(counts.tolist()),
        limit=limit,
        cut=int((lengths > limit).sum()),
        median=float(np.median(lengths)),
        longest=longest,
    )


def confident_errors(answers: Answers, *, most: int) -> list[tuple[int, int, int, float]]:
    """The wrong answers with the highest confidence, highest first.

    Args:
        answers: Answers of a model.
        most: Limit on the number of wrong answers.

    Returns:
        For each: position among all rows that were read, true label id, predicted label id,
        confidence.
    """
    known = np.flatnonzero(answers.evidence)
    confidence = answers.calibrated.max(axis=1)
    wrong = np.flatnonzero(answers.predicted[known] != answers.true[known])
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    rows = known[surest]
    columns = (answers.positions[rows], answers.true[rows], answers.predicted[rows])
    return list(
        zip(*(column.tolist() for column in columns), confidence[surest].tolist(), strict=True)
    )
