"""What the HTML page about a model shows, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from textbatch.model.fitting.settings import Epoch
from textbatch.model.quality.confidence_limits import LimitMeasure
from textbatch.model.quality.metrics import Metrics
from textbatch.model.quality.reliability import LengthHistogram, ReliabilityBin
from textbatch.report.comparison import Contender
from textbatch.report.labels import shown_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The coverage of one source of word vectors.

    Attributes:
        source: Name of the source.
        words: Number of words in the vocabulary that have a vector.
        vocabulary_share: Their share of the vocabulary.
        token_share: Their share of the tokens of the training texts; None if not counted.
    """

    source: str
    words: int
    vocabulary_share: float
    token_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The confidence from which on a label can be relied on.

    Attributes:
        label: The label.
        threshold: The confidence; None if there are too few rows to find it, or if none is high
            enough.
        precision: Precision of the answers above it, on held-out rows.
        kept: Share of the predictions of this label that are above it.
    """

    label: str
    threshold: float | None
    precision: float | None = None
    kept: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentError:
    """A wrong answer.

    Attributes:
        row: Number of the row in the input, from 1. Several files are counted one after the other.
        true: The true label.
        predicted: The predicted label.
        confidence: Confidence of the answer.
        text: The text, only if the user asked for texts.
        words: The words that carried the answer, only if the user asked for them.
    """

    row: int
    true: str
    predicted: str
    confidence: float
    text: str | None = None
    words: str = ""


def about_line(inputs: str, model: str, fingerprint: str, when: str = "") -> str:
    """What a page is about, in one line.

    Args:
        inputs: Paths of the rows.
        model: Path of the model.
        fingerprint: Its fingerprint, of which the beginning is shown.
        when: ISO 8601; empty for now.
    """
    when = when or datetime.now(UTC).isoformat(timespec="seconds")
    date, _, clock = when.partition("T")
    told = f"{fingerprint[:12]}…" if fingerprint else "–"
    return f"{inputs} · {shown_model(model)} · fingerprint {told} · {date} {clock[:5]} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything on the page. A part that is empty or None has no section there.

    Attributes:
        title: Heading of the page.
        lead: A sentence below the heading.
        about: What was measured, with which model, when: a line below that.
        metrics: Metrics of the measured rows.
        ece_before: Expected calibration error before calibration.
        ece_after: Expected calibration error after calibration.
        reliability_before: Bins of confidence before calibration.
        reliability_after: Bins of confidence after calibration.
        right: Number of right answers, in equal bins of confidence from 0 to 1.
        wrong: Number of wrong answers, in the same bins.
        limits: What a limit on the confidence would do to the rows.
        errors: The wrong answers with the highest confidence.
        epochs: What each epoch measured.
        best_epoch: Number of the epoch whose weights were kept.
        lengths: Lengths of the training texts.
        coverage: Coverage of the word vectors.
        contenders: The model and its baselines, on the same rows.
        thresholds: Threshold of each label.
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
    about: str = ""
    limits: tuple[LimitMeasure, ...] = ()
    errors: tuple[ConfidentError, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    best_epoch: int = 0
    lengths: LengthHistogram | None = None
    coverage: tuple[Coverage, ...] = ()
    contenders: tuple[Contender, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
