"""How far a run is from the training of its model."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.model.quality.drift import population_stability
from textbatch.model.quality.profile import TrainingProfile
from textbatch.report.scoring import ModelReport, RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Population stability indices of a run against the training; None where one is not known.

    Attributes:
        labels: Of the predicted labels, against those of the training rows.
        confidences: Of the confidences, against those on the held-out rows.
    """

    labels: float | None
    confidences: float | None


def drift_of(report: RunReport | ModelReport, profile: TrainingProfile | None) -> Drift:
    """Compare a run with the training of its model.

    Args:
        report: What the run did, or one of its models.
        profile: What the training looked like; None if not known.
    """
    if profile is None:
        return Drift(labels=None, confidences=None)
    trained, then = profile.labels, profile.confidence_histogram
    now = report.confidence_histogram
    return Drift(
        labels=population_stability(
            [trained.get(name, 0) for name in report.labels], list(report.labels.values())
        ),
        confidences=population_stability(then, now) if len(then) == len(now) else None,
    )
