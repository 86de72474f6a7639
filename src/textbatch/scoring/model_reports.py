"""What the report of a run says of each model that has a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from textbatch.data.output.adapted import AdaptedPriors
from textbatch.data.output.answer_counts import AnswerCounts, WorkCounts
from textbatch.data.output.records import RowTotals
from textbatch.model.quality.estimated_accuracy import EstimatedAccuracy, estimated_accuracy
from textbatch.report.scoring import ModelReport
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.drift_gate import drift_of_models
from textbatch.scoring.file_task import FileResult, ModelUsed


def models_reported(config: ScoreConfig, result: FileResult) -> list[ModelReport]:
    """Make the sections of the models of a run; none for a model without a name.

    Args:
        config: The options of the run.
        result: What came of it.
    """
    return list(_sections(config, result)) if config.models[0].name else []


def _sections(config: ScoreConfig, result: FileResult) -> Iterator[ModelReport]:
    counts, used = result.counts, result.model.each or (result.model,)
    drifts = dict(drift_of_models(counts, result.model, result))
    for model, one in zip(config.models, used, strict=True):
        # A single model has the counts of the run. Of several there are none before the first row.
        alone = len(config.models) == 1
        answers = counts if alone else counts.models.get(model.name)
        work = WorkCounts(
            tokens=result.tokens, unknown=result.unknown_tokens, early=result.rows_early
        )
        if not alone:
            work = result.work_of.get(model.name, WorkCounts())
        yield ModelReport(
            name=model.name,
            model=str(model.place),
            fingerprint=one.fingerprint,
            engine=one.engine,
            device=one.device,
            precision=one.precision,
            statuses=answers.statuses if answers else {},
            labels=answers.labels if answers else {},
            labels_withheld=list(one.withheld),
            mean_confidence=answers.mean_confidence if answers else None,
            confidence_histogram=answers.confidence_histogram if answers else [],
            tokens=work.tokens,
            unknown_tokens=work.unknown,
            rows_early=work.early,
            drift=drifts.get("" if alone else model.name),
            estimated_accuracy=estimated_of(one, answers),
            priors=priors_of(answers),
        )


def estimated_of(
    model: ModelUsed, answers: RowTotals | AnswerCounts | None
) -> EstimatedAccuracy | None:
    """How many of the answers of a model are probably right, as they are in the output.

    Args:
        model: The model.
        answers: Its answers; None if they are not known.
    """
    if answers is None:
        return None
    priors = answers.priors
    return estimated_accuracy(
        model.reference, answers.signs if priors is None or not priors.signs else priors.signs
    )


def priors_of(answers: RowTotals | AnswerCounts | None) -> AdaptedPriors | None:
    """What a report says of the mix of labels; None without `--adapt-priors`.

    Args:
        answers: The answers of a model; None if they are not known.
    """
    if answers is None or answers.priors is None:
        return None
    return replace(answers.priors, signs=None)
