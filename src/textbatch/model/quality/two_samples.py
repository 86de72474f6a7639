"""How surprising it is that two samples of the same kind of rows have such different mixes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textbatch.types import Float64Array, Int64Array

#: A normal variable is below its mean and so many standard deviations with 97.5 % probability.
NORMAL_975 = 1.959963984540054
#: Classes with fewer rows than this in the smaller sample, by what both samples have together, are
#: counted together: the chi-square statistic of rare classes has a long tail.
_FEWEST_EXPECTED = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MixDifference:
    """How two mixes of the same classes differ.

    Attributes:
        p_value: How often two samples of one and the same population differ at least as much.
        effect: The share of rows that would have to be of another class to make both mixes equal,
            less what chance alone makes of it. From 0 to 1.
        effect_low: What it is at least, with 97.5 % certainty.
        moved: The class whose share differs most.
        before: Its share in the first sample.
        now: Its share in the second one.
    """

    p_value: float
    effect: float
    effect_low: float
    moved: int
    before: float
    now: float


def mix_difference(
    before: Sequence[int], now: Sequence[int], *, ordered: bool
) -> MixDifference | None:
    """Compare the mixes of two samples, neither of which is the whole population.

    The statistic is Pearson's chi-square of the table of both samples. Its mean and variance under
    the null hypothesis are exact for the sizes of both and for the classes that they have together
    (Dawson 1954, "A simplified expression for the variance of the chi-square function on a
    contingency table"). A gamma distribution with this mean and variance gives the p-value. So a
    small reference makes no alarm, and neither does a small job.

    The effect is the total variation distance, without its expectation for two samples of one
    population.

    Args:
        before: Rows of each class in the first sample.
        now: Rows of each class in the second sample, in the same order.
        ordered: Whether classes beside each other are alike, as bins are: rare ones are then joined
            with their neighbours, and else with each other.

    Returns:
        None if a sample is empty.
    """
    table = np.array([before, now], np.int64)
    sizes = table.sum(axis=1)
    if not sizes.all():
        return None
    shares = table / sizes[:, None]
    moved = int(np.abs(shares[1] - shares[0]).argmax())
    effect = _effect(shares, sizes)
    return MixDifference(
        p_value=_p_value(_without_rare(table, ordered=ordered)),
        effect=effect,
        effect_low=max(0.0, effect - NORMAL_975 * _spread_of_effect(shares, sizes)),
        moved=moved,
        before=float(shares[0, moved]),
        now=float(shares[1, moved]),
    )


def _spread_of_effect(shares: Float64Array, sizes: Int64Array) -> float:
    """The standard deviation of the distance, where it is large (the delta method).

    Half the sum of the absolute differences is half the sum of the shares times signs. In each
    sample that is a mean of numbers that are 1 or -1.

    Args:
        shares: Shape `(2, classes)`.
        sizes: Rows of the two samples. Shape `(2,)`.
    """
    means = shares @ np.sign(shares[1] - shares[0])
    return float(np.sqrt(((1 - means**2) / sizes).sum())) / 2


def _without_rare(table: Int64Array, *, ordered: bool) -> Int64Array:
    """Join rare classes. What is rare is told by both samples together alone, as is the null.

    Args:
        table: Shape `(2, classes)`.
        ordered: See `mix_difference`.
    """
    both = table.sum(axis=0)
    needed = _FEWEST_EXPECTED * both.sum() / table.sum(axis=1).min()
    if not ordered:
        rare = both < needed
        return np.concatenate([table[:, ~rare], table[:, rare].sum(axis=1, keepdims=True)], axis=1)
    groups, group, rows = np.zeros(len(both), np.int64), 0, 0
    for place, count in enumerate(both):
        groups[place] = group
        rows += count
        if rows >= needed:
            group, rows = group + 1, 0
    # What is left at the end is too little for a group of its own.
    groups = np.minimum(groups, max(0, group - 1))
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    return np.asarray(np.add.reduceat(table, starts, axis=1), np.int64)


def _p_value(table: Int64Array) -> float:
    columns = table.sum(axis=0)
    table, columns = table[:, columns > 0], columns[columns > 0].astype(np.float64)
    rows = table.sum(axis=1).astype(np.float64)
    total, classes = float(rows.sum()), len(columns)
    if classes < 2 or total < 4:
        return 1.0
    expected = rows[:, None] * columns / total
    statistic = float(((table - expected) ** 2 / expected).sum())
    mean = total * (classes - 1) / (total - 1)
    sizes, mixes = (
        (
            (len(sums) - 1) * (total - len(sums)) / (total - 1),
            (total * float((1 / sums).sum()) - len(sums) ** 2) / (total - 2),
        )
        for sums in (rows, columns)
    )
    variance = 2 * total / (total - 3) * (sizes[0] - sizes[1]) * (mixes[0] - mixes[1])
    variance += total**2 / (total - 1) * sizes[1] * mixes[1]
    if variance <= 0:
        return 1.0
    return gamma_tail(statistic, mean, variance)


def gamma_tail(value: float, mean: float, variance: float) -> float:
    """The probability that a gamma distribution is at least `value` (Wilson and Hilferty 1931).

    Their cube root is close to normal. It needs no import, for which a start would have to wait.

    Args:
        value: Where the tail begins.
        mean: Of the distribution.
        variance: Of the distribution.
    """
    ninth = variance / (9 * mean**2)
    normal = ((max(0.0, value) / mean) ** (1 / 3) - (1 - ninth)) / math.sqrt(ninth)
    return normal_tail(normal)


def normal_tail(value: float) -> float:
    """The probability that a standard normal distribution is at least `value`."""
    return 0.5 * math.erfc(value / math.sqrt(2))


def _effect(shares: Float64Array, sizes: Int64Array) -> float:
    distance = float(np.abs(shares[1] - shares[0]).sum()) / 2
    together = (shares * sizes[:, None]).sum(axis=0) / sizes.sum()
    # The mean size of a normal difference with this variance.
    spread = np.sqrt(together * (1 - together) * (1 / sizes).sum())
    by_chance = float(spread.sum()) * math.sqrt(2 / math.pi) / 2
    return math.sqrt(max(0.0, distance**2 - by_chance**2))
