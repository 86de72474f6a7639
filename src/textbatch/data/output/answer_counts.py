"""What each of several models of a run has answered, as numbers of rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from msgspec import Meta

from textbatch.data.choices import LONGEST_MODEL_NAME, MODEL_NAME, MOST_MODELS
from textbatch.data.output.adapted import AdaptedPriors
from textbatch.data.output.signs import Signs, UnknownTokens
from textbatch.data.strict_json import Count, Sha256, Share
from textbatch.types import CONFIDENCE_BINS, LABELLED, Status

#: The name of a model in a run of several. It comes before the names of the model's columns.
ModelName = Annotated[str, Meta(pattern=rf"\A{MODEL_NAME}\Z", max_length=LONGEST_MODEL_NAME)]
Bins = Annotated[list[Count], Meta(max_length=CONFIDENCE_BINS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCounts:
    """The rows that a model has predicted in this run.

    Attributes:
        tokens: Their tokens.
        unknown: Those of them that are not in its vocabulary.
        early: The rows that its linear model answered alone.
        spread: How tokens and unknown ones vary between the rows' texts.
    """

    tokens: Count = 0
    unknown: Count = 0
    early: Count = 0
    spread: UnknownTokens = field(default_factory=UnknownTokens)

    def __add__(self, other: WorkCounts) -> WorkCounts:
        return WorkCounts(
            tokens=self.tokens + other.tokens,
            unknown=self.unknown + other.unknown,
            early=self.early + other.early,
            spread=self.spread + other.spread,
        )

    def __sub__(self, other: WorkCounts) -> WorkCounts:
        return WorkCounts(
            tokens=self.tokens - other.tokens,
            unknown=self.unknown - other.unknown,
            early=self.early - other.early,
            spread=self.spread - other.spread,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCounts:
    """The answers of one of several models to all rows of an output.

    Attributes:
        fingerprint: Fingerprint of its bundle.
        statuses: Number of rows, by status.
        labels: Number of rows by predicted label, for all of its labels in their order.
        mean_confidence: Mean confidence of the rows with a label; None without such rows, or where
            it is not told.
        confidence_histogram: Number of rows that it answered, by the confidence of the best label,
            in equal bins from 0 to 1; empty where it is not told.
        signs: What the answers and texts are compared by; None where it is not told.
        priors: With `--adapt-priors`, the mix of labels; then `signs` are of the answers before it.
    """

    fingerprint: Sha256
    statuses: dict[str, Count] = field(default_factory=dict)
    labels: dict[str, Count] = field(default_factory=dict)
    mean_confidence: Share | None = None
    confidence_histogram: Bins = field(default_factory=list)
    signs: Signs | None = None
    priors: AdaptedPriors | None = None


Models: TypeAlias = Annotated[dict[ModelName, AnswerCounts], Meta(max_length=MOST_MODELS)]
WorkOf: TypeAlias = dict[ModelName, WorkCounts]


def fits_rows(
    rows: int,
    statuses: dict[str, int],
    labels: dict[str, int],
    histogram: list[int],
    *,
    several: bool = False,
) -> bool:
    """Whether every row of an output is counted exactly once.

    Args:
        rows: Number of rows in the output.
        statuses: Their numbers by status.
        labels: Their numbers by label.
        histogram: Their numbers by confidence; empty where it is not told.
        several: Whether a row is counted once for each of its labels, of which it may have none.
    """
    labelled = sum(statuses.get(status.name.lower(), 0) for status in LABELLED)
    return (
        rows == sum(statuses.values())
        and all(0 <= count <= labelled for count in labels.values())
        and (several or labelled == sum(labels.values()))
        and statuses.keys() <= set(Status.names())
        and len(histogram) in (0, CONFIDENCE_BINS)
        and sum(histogram) <= rows
    )


def prefix_of(name: str) -> str:
    """What the name of a model puts before the names of its columns; nothing without a name."""
    return f"{name}_" if name else ""
