"""How different the rows of a run are from those that its model was measured on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from textbatch.data.output.signs import LENGTH_EDGES, Signs, UnknownTokens
from textbatch.model.quality.reference import Reference
from textbatch.model.quality.two_samples import (
    NORMAL_975,
    MixDifference,
    mix_difference,
    normal_tail,
)
from textbatch.types import CONFIDENCE_BINS

#: A run without drift is called different so often at most, whatever its size.
FALSE_ALARMS = 1e-4
#: A smaller share of rows, or of tokens, is no drift, however sure it is.
LEAST_EFFECT, LEAST_UNKNOWN = 0.1, 0.05
#: What is compared, and what each is called in messages.
MEASURES = {
    "labels": "mix of labels",
    "confidences": "confidences",
    "lengths": "lengths of the texts",
    "unknown": "share of unknown tokens",
    "contents": "rows with and without a text",
    "scripts": "scripts of the texts",
    "marks": "share of characters that are no letters",
}
#: Shares of what texts consist of, not of rows.
_SHARES = ("unknown", "marks")
#: A thing that is compared: its name in `MEASURES`, what has moved most, and how far.
Found = tuple[str, str, MixDifference]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftMeasure:
    """How a run differs from the held-out rows in one thing.

    Attributes:
        of: What is compared: `labels`, `confidences`, `lengths` (characters of the texts) or
            `unknown` (tokens that the model does not know); of `profile` also `contents` (rows with
            a text), `scripts` (texts by the script of most letters) and `marks` (characters that
            are no letters).
        p_value: How often a run of the same size, without drift, differs at least as much.
        effect: The share of rows (of `unknown`: of tokens; of `marks`: of characters) that have
            moved, without what chance makes of it.
        effect_low: What it is at least, with 97.5 % certainty.
        where: What has moved most: a label, confidences or lengths from one number to another.
        before: Its share of the rows that are compared with (of `unknown`: of their tokens).
        now: Its share of the others.
        drifted: Whether the difference is both too large to be chance, and large enough to matter.
    """

    of: str
    p_value: float
    effect: float
    effect_low: float
    where: str
    before: float
    now: float
    drifted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a run differs from the rows that its model was measured on.

    Attributes:
        drifted: Whether it does in anything.
        p_value: The smallest p-value, times the number of measures (Bonferroni).
        rows: Answered rows of the run; of two files the rows of the second.
        reference_rows: Held-out rows that they are compared with; of two files those of the first.
        measures: Each thing that could be compared.
    """

    drifted: bool
    p_value: float
    rows: int
    reference_rows: int
    measures: list[DriftMeasure] = field(default_factory=list)

    @property
    def worst(self) -> list[DriftMeasure]:
        """What has drifted, the largest effect first."""
        return sorted((one for one in self.measures if one.drifted), key=lambda one: -one.effect)


def drift_between(
    before: Signs,
    now: Signs,
    *,
    unknown_before: UnknownTokens | None = None,
    unknown_now: UnknownTokens | None = None,
) -> Drift | None:
    """Compare two samples of rows. Neither is taken for the whole population.

    Args:
        before: The first sample.
        now: The second one.
        unknown_before: Tokens of the first one; None if not known.
        unknown_now: Tokens of the second one.

    Returns:
        None if there is nothing to compare.
    """
    found = list(mixes_between(before, now))
    if unknown_before and unknown_now:
        found += tokens_between("unknown", unknown_before, unknown_now)
    rows = tuple(one.rows or sum(one.lengths) for one in (before, now))
    return drift_of(found, rows=rows[1], reference_rows=rows[0])


def drift_of(found: Sequence[Found], *, rows: int, reference_rows: int) -> Drift | None:
    """Judge what was compared: all together raise a false alarm as often as one alone may.

    Args:
        found: What was compared.
        rows: Rows of the second sample.
        reference_rows: Rows of the first one.

    Returns:
        None if nothing could be compared.
    """
    if not found:
        return None
    limit = FALSE_ALARMS / len(found)
    measures = [
        DriftMeasure(
            of=of,
            p_value=one.p_value,
            effect=one.effect,
            effect_low=one.effect_low,
            where=where,
            before=one.before,
            now=one.now,
            drifted=one.p_value <= limit and one.effect_low >= least_effect(of),
        )
        for of, where, one in found
    ]
    return Drift(
        drifted=any(one.drifted for one in measures),
        p_value=min(1.0, len(found) * min(one.p_value for one in measures)),
        rows=rows,
        reference_rows=reference_rows,
        measures=measures,
    )


def least_effect(of: str) -> float:
    """The smallest effect on a measure that matters."""
    return LEAST_UNKNOWN if of in _SHARES else LEAST_EFFECT


def drift_from(
    reference: Reference | None, now: Signs | None, unknown: UnknownTokens | None = None
) -> Drift | None:
    """Compare a run with the held-out rows of its model.

    Args:
        reference: The held-out rows; None if they are not known.
        now: The run's rows; None if they are not known.
        unknown: Tokens of the rows that the run predicted.

    Returns:
        None if there is nothing to compare.
    """
    if reference is None or now is None:
        return None
    return drift_between(
        reference.signs, now, unknown_before=reference.unknown, unknown_now=unknown
    )


def mixes_between(before: Signs, now: Signs) -> Iterator[Found]:
    """Compare labels, confidences and lengths, where both samples have them.

    Args:
        before: The first sample.
        now: The second one.
    """
    labels = list(dict.fromkeys([*before.answers, *now.answers]))
    if len(labels) > 1:
        counts = ([one.answers.get(label, 0) for label in labels] for one in (before, now))
        if found := mix_difference(*counts, ordered=False):
            yield "labels", labels[found.moved], found
    if found := _bins(before.confidences, now.confidences):
        low, high = (found.moved + more for more in (0, 1))
        where = f"{low / CONFIDENCE_BINS:.2f} to {high / CONFIDENCE_BINS:.2f}"
        yield "confidences", where, found
    if found := _bins(before.lengths, now.lengths):
        yield "lengths", _lengths(found.moved), found


def _bins(before: list[int], now: list[int]) -> MixDifference | None:
    # A later textbatch may have other bins.
    return mix_difference(before, now, ordered=True) if len(before) == len(now) else None


def _lengths(place: int) -> str:
    low, *more = LENGTH_EDGES[place : place + 2]
    if not more:
        return f"{low:,} characters or more"
    high = more[0] - 1
    return f"{low:,} to {high:,} characters" if low < high else f"{low:,} characters"


def tokens_between(of: str, before: UnknownTokens, now: UnknownTokens) -> Iterator[Found]:
    """Compare two shares of tokens, which come in texts (Cochran 1977, 6.5).

    Args:
        of: The name of the measure.
        before: Tokens of the first sample.
        now: Tokens of the second one.
    """
    if not (before.tokens and now.tokens):
        return
    shares = [one.unknown / one.tokens for one in (before, now)]
    # Under the null both have one share, and texts vary alike.
    both = before + now
    share = both.unknown / both.tokens
    squares = both.unknown_squared - 2 * share * both.products + share**2 * both.tokens_squared
    texts = max(1, both.texts - 1)
    mean = both.tokens / both.texts
    variance = squares / texts * (1 / before.texts + 1 / now.texts) / mean**2
    if variance <= 0:
        return
    difference, spread = abs(shares[1] - shares[0]), math.sqrt(variance)
    yield (
        of,
        "",
        MixDifference(
            p_value=min(1.0, 2 * normal_tail(difference / spread)),
            effect=difference,
            effect_low=max(0.0, difference - NORMAL_975 * spread),
            moved=0,
            before=shares[0],
            now=shares[1],
        ),
    )
