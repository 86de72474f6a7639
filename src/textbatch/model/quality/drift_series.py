"""Whether a series of runs has moved away from the rows that their model was measured on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from textbatch.data.output.signs import LENGTH_EDGES, Signs, UnknownTokens
from textbatch.model.quality.drift import DriftMeasure, drift_between, least_effect
from textbatch.model.quality.e_process import counts_evidence, log_weights, ratio_evidence
from textbatch.model.quality.reference import Reference
from textbatch.types import CONFIDENCE_BINS, Float64Array, Int64Array

#: A series without drift is ever called different so often at most, however long it is.
FALSE_ALARMS = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What is known of one run of a series.

    Attributes:
        time: When it began, UTC, ISO 8601.
        signs: Its rows.
        unknown: The tokens of the rows that it predicted; None if not known.
    """

    time: str
    signs: Signs
    unknown: UnknownTokens | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesMeasure:
    """How a series of runs has moved in one thing.

    Attributes:
        of: What is compared; see `DriftMeasure`.
        log10_e: Logarithm, to base 10, of the e-value: without drift it is ever above k with a
            probability of at most 10^-k.
        since: The run from which on it has most probably moved: its number in the series, from 1.
        since_time: When that run began.
        effect: The share of rows, or tokens, of the runs since then that have moved.
        effect_low: What it is at least, with 97.5 % certainty.
        where: What has moved most.
        before: Its share of the held-out rows, or tokens.
        now: Its share of the runs since then.
        drifted: Whether it is too much for chance, and enough to matter.
        effects: The effect in each run alone, for a picture; None where there was none.
    """

    of: str
    log10_e: float
    since: int
    since_time: str
    effect: float
    effect_low: float
    where: str
    before: float
    now: float
    drifted: bool
    effects: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSeries:
    """How a series of runs with one model has moved.

    Attributes:
        drifted: Whether it has in anything.
        runs: Runs of the series, this one included.
        rows: Their answered rows.
        times: When the first and the last of them began.
        measures: Each thing that could be compared.
    """

    drifted: bool
    runs: int
    rows: int
    times: tuple[str, str]
    measures: list[SeriesMeasure] = field(default_factory=list)


def drift_series(
    reference: Reference | None, nights: Sequence[Night], *, pictured: bool = True
) -> DriftSeries | None:
    """Look for drift that began at any run of a series.

    Args:
        reference: The held-out rows of the model; None if they are not known.
        nights: The runs with this model, in their order.
        pictured: Whether to compare each run alone too, for a picture.

    Returns:
        None if there is nothing to compare.
    """
    if reference is None or not nights:
        return None
    evidences = dict(_evidences(reference, nights))
    every = range(len(nights) if pictured else 0)
    alone = [_compared(reference, nights[at : at + 1]) for at in every]
    measures = []
    for of, evidence in evidences.items():
        weighted = evidence + log_weights(len(nights))[:, None]
        log_e = _log_sum(weighted) - np.log(weighted.shape[1])
        since = int(np.logaddexp.reduce(weighted, axis=1).argmax())
        found = _compared(reference, nights[since:]).get(of)
        if found is None:
            continue
        limit = np.log(len(evidences) / FALSE_ALARMS)
        each = [one[of].effect if of in one else None for one in alone]
        measures.append(
            SeriesMeasure(
                of=of,
                log10_e=float(log_e / np.log(10)),
                since=since + 1,
                since_time=nights[since].time,
                effect=found.effect,
                effect_low=found.effect_low,
                where=found.where,
                before=found.before,
                now=found.now,
                drifted=bool(log_e >= limit and found.effect_low >= least_effect(of)),
                effects=tuple(each),
            )
        )
    if not measures:
        return None
    return DriftSeries(
        drifted=any(one.drifted for one in measures),
        runs=len(nights),
        rows=sum(one.signs.rows for one in nights),
        times=(nights[0].time, nights[-1].time),
        measures=measures,
    )


def _compared(reference: Reference, nights: Sequence[Night]) -> dict[str, DriftMeasure]:
    """Compare some runs, taken together, with the held-out rows."""
    unknown = [one.unknown for one in nights if one.unknown is not None]
    found = drift_between(
        reference.signs,
        sum((one.signs for one in nights), Signs()),
        unknown_before=reference.unknown,
        unknown_now=sum(unknown, UnknownTokens()) if unknown else None,
    )
    return {one.of: one for one in found.measures} if found else {}


def _evidences(reference: Reference, nights: Sequence[Night]) -> Iterator[tuple[str, Float64Array]]:
    every = [reference.signs, *(one.signs for one in nights)]
    labels = sorted({label for one in every for label in one.answers})
    counts = np.array([[one.answers.get(label, 0) for label in labels] for one in every], np.int64)
    if len(labels) > 1 and counts[0].any():
        yield "labels", counts_evidence(counts, counts.sum(axis=1))
    bins = (
        ("confidences", CONFIDENCE_BINS, [one.confidences for one in every]),
        ("lengths", len(LENGTH_EDGES), [one.lengths for one in every]),
    )
    for of, width, each in bins:
        counts = np.array([one if len(one) == width else [0] * width for one in each], np.int64)
        if counts[0].any() and counts[1:].any():
            # Bins are in order: those up to one of them, against those above.
            yield of, counts_evidence(np.cumsum(counts, axis=1)[:, :-1], counts.sum(axis=1))
    if reference.unknown and (found := _unknown(reference.unknown, nights)) is not None:
        yield "unknown", found


def _unknown(before: UnknownTokens, nights: Sequence[Night]) -> Float64Array | None:
    """The evidence of unknown tokens, whose share is about normal (Cochran 1977, 6.5)."""
    every = [before, *(one.unknown or UnknownTokens() for one in nights)]
    tokens: Int64Array = np.array([one.tokens for one in every], np.int64)
    if not (tokens[0] and tokens[1:].any()):
        return None
    share = before.unknown / before.tokens
    squares = before.unknown_squared - 2 * share * before.products
    squares += share**2 * before.tokens_squared
    if squares <= 0:
        return None
    variance = squares / max(1, before.texts - 1) / (before.tokens / before.texts) ** 2
    texts = np.array([one.texts if one.tokens else 0 for one in every], np.float64)
    ratios = np.array([one.unknown for one in every]) / np.maximum(tokens, 1)
    with np.errstate(divide="ignore"):
        return ratio_evidence(ratios, variance / texts)


def _log_sum(values: Float64Array) -> float:
    return float(np.logaddexp.reduce(values, axis=None))
