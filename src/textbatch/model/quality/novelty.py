"""How unlike the texts of all labels a text is.

A score is made of four numbers, each against its mean and deviation on held-out rows: how little
the likeliest label stands out from the others, from a softened softmax (temperature scaling against
inputs of no label, Liang, Li and Srikant 2018); how small the logits are all together (the energy,
Liu et al. 2020); the share of unknown tokens, where it is large; and the length, where it is far
from what is usual. The weights were chosen on Banking77, of whose labels a tenth was left out, and
on news against tweets.

`novelty` is the share of ordinary texts that are at least as unlike: the held-out rows say it, and
beyond their last twentieth an exponential tail that is fitted to it. So it is no probability that a
text has no label, but 1 % of ordinary texts are below 0.01.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from textbatch.data.strict_json import Count
from textbatch.types import Float32Array, Int64Array

#: Fewer held-out rows say too little.
LEAST_ROWS = 20
#: So many scores are kept.
_MOST_SCORES = 1000
#: Share of the held-out rows that the tail is fitted to, and the least rows.
_TAIL, _TAIL_ROWS = 0.05, 5
#: The softmax is softened by this factor of the calibrated temperature.
_SOFTENED = 1.5
#: Weights of energy and unknown tokens; deviations of the length that are nothing unusual.
_ENERGY, _UNKNOWN, _USUAL_LENGTH = 0.5, 0.5, 1.5
#: Least deviations of the four numbers: held-out rows may all have the same.
_LEAST_DEVIATIONS = (1e-3, 1e-3, 0.02, 0.1)

Finite = Annotated[float, Meta(ge=-1e9, le=1e9)]
Positive = Annotated[float, Meta(gt=0.0, le=1e9)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """What ordinary texts are like.

    Attributes:
        means: Of the four numbers.
        deviations: Of the four numbers.
        scores: Scores of held-out rows at equal distances of their ranks, ascending.
        rows: How many held-out rows there were.
        tail: Scale of the exponential tail.
    """

    means: tuple[Finite, Finite, Finite, Finite]
    deviations: tuple[Positive, Positive, Positive, Positive]
    scores: list[Finite]
    rows: Count
    tail: Positive

    @classmethod
    def fitted(cls, numbers: NDArray[np.float64]) -> Novelty | None:
        """Learn what is ordinary; None where there are too few rows.

        Args:
            numbers: Of held-out rows, from `numbers_of`. Shape `(rows, 4)`.
        """
        rows = len(numbers)
        if rows < LEAST_ROWS:
            return None
        means = numbers.mean(axis=0)
        deviations = np.maximum(numbers.std(axis=0), _LEAST_DEVIATIONS)
        scores = np.sort(_scores(numbers, means, deviations))
        last = scores[-max(_TAIL_ROWS, round(_TAIL * rows)) :]
        kept = np.interp(_places(rows), np.arange(rows), scores)
        first, second, third, fourth = means.tolist()
        one, two, three, four = deviations.tolist()
        return cls(
            means=(first, second, third, fourth),
            deviations=(one, two, three, four),
            scores=kept.tolist(),
            rows=rows,
            tail=max(float((last - last[0]).mean()), 1e-3),
        )

    @property
    def is_sound(self) -> bool:
        """Whether the scores are as many as they must be, and in order."""
        return (
            self.rows >= LEAST_ROWS
            and len(self.scores) == min(self.rows, _MOST_SCORES)
            and self.scores == sorted(self.scores)
        )

    def of(self, numbers: NDArray[np.float64]) -> Float32Array:
        """The novelty of rows, from 0 (unlike all) to 1. It depends on each row alone.

        Args:
            numbers: From `numbers_of`. Shape `(rows, 4)`.

        Returns:
            Shape `(rows,)`.
        """
        scores = _scores(numbers, np.array(self.means), np.array(self.deviations))
        known = np.array(self.scores)
        # As many held-out rows as have this score or a higher one, of one row more than there are.
        shares = (self.rows - _places(self.rows)) / (self.rows + 1)
        found = np.interp(scores, known, shares, left=1.0)
        begins = self.rows - max(_TAIL_ROWS, round(_TAIL * self.rows))
        start = np.interp(begins, _places(self.rows), known)
        beyond = np.maximum(scores - start, 0) / self.tail
        tail = (self.rows - begins) / (self.rows + 1) * np.exp(-beyond)
        return np.asarray(np.where(scores > start, tail, found), np.float32)


def numbers_of(
    logits: Float32Array, temperature: float, unknown: NDArray[np.float64], lengths: Int64Array
) -> NDArray[np.float64]:
    """The four numbers of rows, which say how unlike ordinary texts they are.

    Args:
        logits: Before calibration. Shape `(rows, labels)`.
        temperature: The calibrated temperature.
        unknown: Share of unknown tokens. Shape `(rows,)`.
        lengths: Tokens that the network reads at once at most. Shape `(rows,)`.

    Returns:
        Shape `(rows, 4)`.
    """
    wide = logits.astype(np.float64)
    highest = wide.max(axis=1, initial=-np.inf)
    below = wide - highest[:, None]
    best = 1 / np.exp(below / (_SOFTENED * temperature)).sum(axis=1)
    energy = highest + np.log(np.exp(below).sum(axis=1))
    return np.stack([-best, -energy, unknown, np.log1p(lengths)], axis=1)


def _scores(
    numbers: NDArray[np.float64], means: NDArray[np.float64], deviations: NDArray[np.float64]
) -> NDArray[np.float64]:
    best, energy, unknown, length = ((numbers - means) / deviations).T
    return np.asarray(
        best
        + _ENERGY * energy
        + _UNKNOWN * np.maximum(unknown, 0)
        + np.maximum(np.abs(length) - _USUAL_LENGTH, 0)
    )


def _places(rows: int) -> NDArray[np.float64]:
    """The ranks of the scores that are kept, from 0."""
    return np.linspace(0, rows - 1, min(rows, _MOST_SCORES))
