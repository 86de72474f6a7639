"""Evidence that a share has changed at some time: e-processes, which hold whenever one looks.

An e-process is a number that has an expectation of at most 1 at every time, also at one that is
chosen by what was seen, if nothing has changed. So it is ever above `1 / alpha` with a probability
of at most `alpha` (Ville's inequality), over a year of nights as over one.

Here it is a likelihood ratio (universal inference: Wasserman, Ramdas and Balakrishnan 2020). Below
the line stands the largest likelihood that any single share gives to all samples together, the
reference included; so it holds for whatever share the reference is a sample of. Above it stands a
mixture over the night at which a change begins, and over the shares before and after (a change of
any size): a change at the first night is seen, and so is one after a year.
"""

from __future__ import annotations

import numpy as np

from textbatch.types import Float64Array, Int64Array

#: The weights of the nights, 1 / ((n + 1) log(n + 1)^2), add up to a little less than this.
_SUM_OF_WEIGHTS = 2.11
#: Shares of unknown tokens are expected around here, and so far from it.
_MEAN, _SPREAD = 0.1, 0.3
#: Variances that the reference tells are themselves estimates: more than they say is believed.
_WIDER = 1.5


def log_weights(nights: int) -> Float64Array:
    """The logarithms of the weights of a change at each night. Shape `(nights,)`."""
    place = np.arange(2, nights + 2, dtype=np.float64)
    return np.asarray(-np.log(_SUM_OF_WEIGHTS * place * np.log(place) ** 2), np.float64)


def counts_evidence(inside: Int64Array, rows: Int64Array) -> Float64Array:
    """The evidence for a change of a share of rows, for each night at which it may have begun.

    Shares before and after are mixed with Jeffreys' prior (Krichevsky and Trofimov 1981).

    Args:
        inside: Rows of the reference, then of each night, in some classes; each column is another
            choice of classes. Shape `(1 + nights, choices)`.
        rows: All rows of these. Shape `(1 + nights,)`.

    Returns:
        Natural logarithms, without the weights of the nights. Shape `(nights, choices)`.
    """
    within = np.cumsum(inside, axis=0).astype(np.float64)
    total = np.cumsum(rows).astype(np.float64)[:, None]
    outside = total - within
    numerator = _log_beta(within[:-1], outside[:-1])
    numerator += _log_beta(within[-1] - within[:-1], outside[-1] - outside[:-1])
    both = _entropy(within[-1]) + _entropy(outside[-1]) - _entropy(total[-1])
    return np.asarray(numerator - both, np.float64)


def ratio_evidence(ratios: Float64Array, variances: Float64Array) -> Float64Array:
    """The evidence for a change of a ratio that is about normal; see `counts_evidence`.

    Args:
        ratios: Of the reference, then of each night. Shape `(1 + nights,)`.
        variances: Theirs, if nothing has changed; infinite where there was nothing. Same shape.

    Returns:
        Shape `(nights, 1)`.
    """
    precision = 1 / (_WIDER * variances)
    weights, sums = np.cumsum(precision), np.cumsum(precision * ratios)
    whole = sums[-1] / weights[-1]
    told = np.zeros(len(ratios) - 1)
    parts = (
        (weights[:-1], sums[:-1]),
        (weights[-1] - weights[:-1], sums[-1] - sums[:-1]),
    )
    for weight, total in parts:
        some = np.maximum(weight, 1e-12)
        mean = total / some
        told -= np.log1p(some * _SPREAD**2) / 2
        told -= (mean - _MEAN) ** 2 / (1 / some + _SPREAD**2) / 2
        told += some * (mean - whole) ** 2 / 2
    return told[:, None]


def _log_beta(one: Float64Array, other: Float64Array) -> Float64Array:
    """The logarithm of the probability of a sequence, with Jeffreys' prior on its share."""
    half = _log_gamma(np.array(0.5))
    both = _log_gamma(one + 0.5) + _log_gamma(other + 0.5) - _log_gamma(one + other + 1)
    return np.asarray(both - 2 * half, np.float64)


def _log_gamma(value: Float64Array) -> Float64Array:
    """The logarithm of the gamma function, by Stirling's series of a larger argument."""
    large = value + 8
    below = np.ones_like(value)
    for step in range(8):
        below = below * (value + step)
    inverse = 1 / large
    series = inverse * (1 / 12 - inverse**2 * (1 / 360 - inverse**2 / 1260))
    log = (large - 0.5) * np.log(large) - large + 0.5 * np.log(2 * np.pi) + series
    return np.asarray(log - np.log(below), np.float64)


def _entropy(count: Float64Array) -> Float64Array:
    return np.asarray(count * np.log(np.maximum(count, 1)), np.float64)
