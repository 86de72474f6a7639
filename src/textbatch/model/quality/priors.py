"""Another mix of labels than in training: estimated from answers, and allowed for in them.

By expectation maximization on calibrated probabilities (Saerens, Latinne and Decaestecker 2002,
"Adjusting the outputs of a classifier to new a priori probabilities"). It is right where only the
mix has changed: texts of one label are as they were.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from textbatch.data.output.adapted import AdaptedPriors
from textbatch.model.quality.reference import Reference
from textbatch.model.quality.two_samples import gamma_tail
from textbatch.types import BoolArray, Float32Array, Float64Array, Int64Array, UInt64Array

#: Answers are adapted where a job without another mix looks so different less often than this ...
SURPRISING = 1e-3
#: ... and at least this share of the rows would have to be of another label. A smaller shift could
#: win next to nothing.
LEAST_SHIFT = 0.05
#: Rows that the mix is estimated from at most. The error of a share is then below 0.002.
MOST_ROWS = 100_000
#: Numbers that they have together at most: some 64 MiB.
_MOST_NUMBERS = 1 << 24
_BLOCK_ROWS = 8_192
_STEPS, _SMALL_STEP = 1_000, 1e-7
#: Shares are rounded, so that they are the same where sums are rounded differently.
_DIGITS = 6


class AnswerSample:
    """A random sample of the answers to a job's rows, in bounded memory.

    Each row has a random number, which is a hash of its place in the input, and the rows with the
    smallest numbers are kept. So the sample does not depend on chunks, threads or processes.
    """

    def __init__(self, labels: int, *, most: int = MOST_ROWS) -> None:
        """Nothing is sampled yet.

        Args:
            labels: Number of labels.
            most: Rows that are kept at most.
        """
        self._most = max(1, min(most, _MOST_NUMBERS // labels))
        self._keys: list[UInt64Array] = []
        self._rows: list[Float32Array] = [np.zeros((0, labels), np.float32)]
        self._held, self._next = 0, 0
        self._limit = np.uint64(2**64 - 1)

    def add(self, probabilities: Float32Array, evidence: BoolArray) -> None:
        """Look at the next rows.

        Args:
            probabilities: Shape `(rows, labels)`.
            evidence: Which rows were answered. Shape `(rows,)`.
        """
        places = np.arange(self._next, self._next + len(evidence), dtype=np.uint64)
        self._next += len(evidence)
        keys = _hashed(places)
        kept = evidence & (keys <= self._limit)
        self._keys.append(keys[kept])
        self._rows.append(probabilities[kept])
        self._held += int(kept.sum())
        if self._held > 2 * self._most:
            self._shrink()

    def sampled(self) -> Float32Array:
        """The rows of the sample, in the order of their random numbers. Shape `(rows, labels)`."""
        self._shrink()
        return self._rows[0]

    def _shrink(self) -> None:
        keys = np.concatenate([np.zeros(0, np.uint64), *self._keys])
        order = np.argsort(keys, kind="stable")[: self._most]
        self._keys, self._rows = [keys[order]], [np.concatenate(self._rows)[order]]
        self._held = len(order)
        if self._held == self._most:
            self._limit = self._keys[0][-1]


def adapted_priors(
    answers: Float32Array, reference: Reference, labels: Sequence[str]
) -> AdaptedPriors:
    """Estimate the mix of labels of a job, and decide whether its answers are to be adapted.

    The mix before is the mean of the probabilities that held-out rows got: with it a job of these
    very rows has the same mix again, however well the model is calibrated. The test is a likelihood
    ratio, scaled so that the held-out rows are a sample too, as in a comparison of two samples.

    Args:
        answers: Calibrated probabilities of rows with evidence. Shape `(rows, labels)`.
        reference: The held-out rows. They tell `probability_sums`.
        labels: The labels of the model.

    Returns:
        Without rows, nothing is adapted.
    """
    sums = np.array([reference.probability_sums.get(label, 0) for label in labels], np.float64)
    # A label that no held-out row had may come now all the same.
    before = _rounded((sums + 1) / (sums + 1).sum())
    found = _estimated(answers, before)
    shift = float(np.abs(found - before).sum()) / 2
    held_out = reference.signs.rows
    statistic = 2 * _log_likelihood(answers, found / before) * held_out / (held_out + len(answers))
    freedom = len(labels) - 1
    p_value = gamma_tail(statistic, freedom, 2 * freedom) if freedom and len(answers) else 1.0
    return AdaptedPriors(
        adapted=p_value < SURPRISING and shift >= LEAST_SHIFT,
        p_value=min(1.0, p_value),
        shift=min(1.0, round(shift, _DIGITS)),
        rows=len(answers),
        before=dict(zip(labels, before.tolist(), strict=True)),
        now=dict(zip(labels, found.tolist(), strict=True)),
    )


def ratios_of(priors: AdaptedPriors) -> Float64Array:
    """By how much each label is more frequent than before. Shape `(labels,)`."""
    before, now = (np.array(list(one.values()), np.float64) for one in (priors.before, priors.now))
    return np.asarray(now / before, np.float64)


def reweighted(probabilities: Float32Array, ratios: Float64Array) -> Float32Array:
    """The probabilities that are right for another mix of labels (Bayes' theorem).

    As in `softmax`, the bits of a row do not depend on the other rows.

    Args:
        probabilities: NaN without evidence. Shape `(rows, labels)`.
        ratios: By how much each label is more frequent than before. Shape `(labels,)`.

    Returns:
        Shape `(rows, labels)`.
    """
    weighted = probabilities.astype(np.float64) * ratios
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True), np.float32)


def _estimated(answers: Float32Array, before: Float64Array) -> Float64Array:
    """The mix that makes the answers most likely.

    One row in all speaks for the mix as it was, so that no label becomes impossible.

    Args:
        answers: Shape `(rows, labels)`.
        before: Shape `(labels,)`.
    """
    found = before
    for _ in range(_STEPS):
        sums = before.copy()
        ratios = found / before
        for start in range(0, len(answers), _BLOCK_ROWS):
            weighted = answers[start : start + _BLOCK_ROWS] * ratios
            weighted /= weighted.sum(axis=1, keepdims=True)
            sums += weighted.sum(axis=0)
        last, found = found, sums / (len(answers) + 1)
        if float(np.abs(found - last).max()) < _SMALL_STEP:
            break
    return _rounded(found)


def _log_likelihood(answers: Float32Array, ratios: Float64Array) -> float:
    """By how much a mix makes the answers more likely than the mix before."""
    some = range(0, len(answers), _BLOCK_ROWS)
    return math.fsum(
        float(np.log((answers[start : start + _BLOCK_ROWS] * ratios).sum(axis=1)).sum())
        for start in some
    )


def _rounded(shares: Float64Array) -> Float64Array:
    return np.maximum(np.round(shares, _DIGITS), 10.0**-_DIGITS)


def _hashed(places: Int64Array | UInt64Array) -> UInt64Array:
    """A random number for each place, always the same (splitmix64; Steele et al. 2014)."""
    mixed = places + np.uint64(1)
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)
