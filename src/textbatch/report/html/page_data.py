"""What the HTML page shows, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from textbatch.model.fitting.settings import Epoch
from textbatch.model.quality.metrics import Metrics
from textbatch.model.quality.reliability import LengthHistogram, ReliabilityBin
from textbatch.report.comparison import Contender


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of the texts a source of word vectors knows.

    Attributes:
        source: Name of the source.
        words: Vocabulary words with a vector.
        vocabulary_share: Their share of the vocabulary.
        token_share: Their share of the training texts' tokens; None where nobody counted.
    """

    source: str
    words: int
    vocabulary_share: float
    token_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """From which confidence on a label can be relied on.

    Attributes:
        label: The label.
        threshold: The confidence; None where the rows were too few to tell, or none is high enough.
        precision: Reached above it, on held-out rows.
        kept: Share of the label's predictions above it.
    """

    label: str
    threshold: float | None
    precision: float | None = None
    kept: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentError:
    """A wrong answer.

    Attributes:
        row: Row number in the input, from 1, several files counted one after the other.
        true: The label it has.
        predicted: The label it got.
        confidence: How sure the model was.
        text: The text, only where the user asked for texts.
    """

    row: int
    true: str
    predicted: str
    confidence: float
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything on the page; what is empty or None has no section there.

    Attributes:
        title: Heading of the page.
        lead: A sentence below it.
        metrics: On the measured rows.
        ece_before: Expected calibration error before the temperature.
        ece_after: The same after it.
        reliability_before: Bins before the temperature.
        reliability_after: Bins after it.
        right: Right rows by confidence, in equal bins from 0 to 1.
        wrong: Wrong rows likewise.
        errors: The wrong answers that the model was surest of.
        epochs: What each pass over the training rows measured.
        best_epoch: The pass whose weights were kept.
        lengths: Of the training texts.
        coverage: Of the word vectors.
        contenders: The model and its baselines, on the same rows.
        thresholds: Per label.
        warnings: What the user should look at.
        facts: Settings, sizes and versions, by heading.
    """

    title: str
    lead: str
    metrics: Metrics
    ece_before: float
    ece_after: float
    reliability_before: tuple[ReliabilityBin, ...]
    reliability_after: tuple[ReliabilityBin, ...]
    right: tuple[int, ...]
    wrong: tuple[int, ...]
    errors: tuple[ConfidentError, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    best_epoch: int = 0
    lengths: LengthHistogram | None = None
    coverage: tuple[Coverage, ...] = ()
    contenders: tuple[Contender, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
