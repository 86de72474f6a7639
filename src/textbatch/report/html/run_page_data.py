"""What the page about a scoring run shows, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from textbatch.errors import printable
from textbatch.model.quality.profile import TrainingProfile
from textbatch.report.drift import drift_told, series_told
from textbatch.report.scoring import ModelReport, RunReport

#: Number of points of the line of rows per second.
_STEPS = 60
#: Warn if the share of unknown tokens is larger than in training by more than this.
_MORE_UNKNOWN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelShare:
    """The share of a label among the rows that have a label.

    Attributes:
        label: The label.
        rows: Number of rows in this run.
        share: Share of rows in this run.
        training: Share of the training rows; None if not known.
    """

    label: str
    rows: int
    share: float
    training: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPicture:
    """What the page shows of one model. A part that is empty or None has no section there.

    Attributes:
        report: What the model did.
        labels: Shares of the labels, in the order of the model.
        confidences: Number of rows, in equal bins of confidence from 0 to 1.
        training_confidences: Number of validation rows of the training, in the same bins.
        training_oov: Share of unknown tokens in training.
        warnings: What the user should look at.
    """

    report: ModelReport
    labels: tuple[LabelShare, ...]
    confidences: tuple[int, ...]
    training_confidences: tuple[int, ...]
    training_oov: float | None
    warnings: tuple[str, ...]

    @property
    def labelled(self) -> int:
        """The rows with a label."""
        return sum(self.report.labels.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPicture:
    """Everything on the page.

    Attributes:
        report: The run.
        models: What each model did.
        rates: Pairs of seconds since the beginning, and rows per second at that time.
        warnings: What the user should look at, of the run and of all models.
    """

    report: RunReport
    models: tuple[ModelPicture, ...]
    rates: tuple[tuple[float, float], ...]
    warnings: tuple[str, ...]


def run_picture(
    report: RunReport,
    samples: Sequence[tuple[float, int]],
    profiles: Sequence[TrainingProfile | None],
) -> RunPicture:
    """Compare a run that ended well with the training of its models.

    Args:
        report: What the run did.
        samples: Pairs of seconds since the beginning, and the rows that were done by then.
        profiles: What the training of each model looked like; None if not known.
    """
    known = profiles or [None] * len(report.sections)
    models = tuple(
        _model_picture(one, report.rows_out, profile)
        for one, profile in zip(report.sections, known, strict=True)
    )
    told = [
        f"{one.report.name}: {warning}" if one.report.name else warning
        for one in models
        for warning in one.warnings
    ]
    return RunPicture(
        report=report,
        models=models,
        rates=_rates(samples),
        warnings=(*told, *_warnings_of_run(report)),
    )


def _model_picture(
    report: ModelReport, rows_out: int, profile: TrainingProfile | None
) -> ModelPicture:
    trained = profile.labels if profile else {}
    histogram = profile.confidence_histogram if profile else []
    oov = profile.oov_share if profile else None
    same_bins = len(histogram) == len(report.confidence_histogram)
    return ModelPicture(
        report=report,
        labels=_labels(report.labels, trained),
        confidences=tuple(report.confidence_histogram),
        training_confidences=tuple(histogram) if same_bins else (),
        training_oov=oov,
        warnings=tuple(_warnings(report, rows_out, oov)),
    )


def _labels(found: Mapping[str, int], trained: Mapping[str, int]) -> tuple[LabelShare, ...]:
    rows, rows_trained = sum(found.values()), sum(trained.values())
    return tuple(
        LabelShare(
            label=label,
            rows=count,
            share=count / rows if rows else 0.0,
            training=trained.get(label, 0) / rows_trained if rows_trained else None,
        )
        for label, count in found.items()
    )


def _rates(samples: Sequence[tuple[float, int]]) -> tuple[tuple[float, float], ...]:
    """Compute rows per second in equal intervals of time, at the middle of each."""
    if len(samples) < 3:
        return ()
    end = samples[-1][0]
    width = end / min(_STEPS, len(samples) - 1)
    rates: list[tuple[float, float]] = []
    (last_time, last_rows), *rest = samples
    for seconds, rows in rest:
        if seconds - last_time >= width or seconds == end:
            if seconds > last_time:
                middle = (seconds + last_time) / 2
                rates.append((middle, (rows - last_rows) / (seconds - last_time)))
            last_time, last_rows = seconds, rows
    return tuple(rates)


def _warnings(report: ModelReport, rows_out: int, oov: float | None) -> Iterator[str]:
    if report.drift and report.drift.drifted:
        told = drift_told(report.drift)
        yield f"{told[0].upper()}{told[1:]}."
    if report.drift_series and report.drift_series.drifted:
        told = series_told(report.drift_series)
        yield f"{told[0].upper()}{told[1:]}."
    share = report.oov_share
    if share is not None and oov is not None and share > oov + _MORE_UNKNOWN:
        yield f"{share:.1%} of the tokens are unknown to the model, against {oov:.1%} in training."
    if rows_out and not sum(report.labels.values()):
        yield "No row got a label."


def _warnings_of_run(report: RunReport) -> Iterator[str]:
    # A text that is not UTF-8 is that for every model.
    unreadable = report.sections[0].statuses.get("bad_text", 0) + report.rows_quarantined
    if unreadable:
        yield f"{unreadable:,} rows could not be read."
    yield from map(printable, report.notes)
