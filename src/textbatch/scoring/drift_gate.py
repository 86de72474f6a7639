"""Whether a run's rows are like those that its models were measured on, and what is done if not."""

from __future__ import annotations

from collections.abc import Iterator

from textbatch.data.output.answer_counts import WorkCounts
from textbatch.data.output.records import RowTotals
from textbatch.data.output.signs import Signs
from textbatch.errors import ConflictError, QualityGateError
from textbatch.model.quality.drift import Drift, drift_from
from textbatch.report.drift import drift_told
from textbatch.scoring.bundles import Bundles
from textbatch.scoring.file_task import FileResult, ModelUsed

_REMEDY = (
    "look at the input; if its rows are meant to be so, train on labelled ones of them; or leave "
    "out --fail-on-drift"
)


def check_can_tell(bundles: Bundles) -> None:
    """Check that there is something that drift can be seen against.

    Args:
        bundles: The models of a run with `--fail-on-drift`.

    Raises:
        ConflictError: A model has no held-out answers.
    """
    for name, bundle in zip(bundles.names, bundles.each, strict=True):
        if bundle.compared_with is None:
            raise ConflictError(
                f"the model{f' {name}' if name else ''} has no answers to held-out rows, which "
                "--fail-on-drift compares with",
                "leave --fail-on-drift out, or make the model from labelled rows",
            )


def check_can_adapt(bundles: Bundles) -> None:
    """Check that there is something that a mix of labels can be compared with.

    Args:
        bundles: The models of a run with `--adapt-priors`.

    Raises:
        QualityGateError: A model does not know what its held-out rows got.
    """
    for name, bundle in zip(bundles.names, bundles.each, strict=True):
        if bundle.reference is None or not bundle.reference.probability_sums:
            raise QualityGateError(
                f"the model{f' {name}' if name else ''} does not know the mix of labels of its "
                "held-out rows: it was made before there was --adapt-priors, or not from labelled "
                "rows",
                "train it again, or leave `score --adapt-priors` out",
            )


def check_drift(rows: RowTotals, model: ModelUsed, done: FileResult) -> None:
    """Refuse to publish rows that are unlike those that a model was measured on.

    Args:
        rows: What was counted of the whole job.
        model: What answered.
        done: Tells of tokens.

    Raises:
        QualityGateError: They are.
    """
    found = [(name, one) for name, one in drift_of_models(rows, model, done) if one and one.drifted]
    if found:
        raise refused(found)


def refused(found: list[tuple[str, Drift]], *, remedy: str = _REMEDY) -> QualityGateError:
    """The error of a run whose rows have drifted.

    Args:
        found: What each of some models sees, by its name.
        remedy: What to do.
    """
    return QualityGateError("; ".join(drift_told(one, name) for name, one in found), remedy)


def drift_of_models(
    rows: RowTotals, model: ModelUsed, done: FileResult
) -> Iterator[tuple[str, Drift | None]]:
    """Compare a run with what its models were measured on.

    Args:
        rows: What was counted of the whole job.
        model: What answered.
        done: Tells of tokens.

    Yields:
        The name of each model, empty for one alone, and what was found; None where nothing can be
        compared.
    """
    for name, used, signs, work in models_of(rows, model, done):
        yield name, drift_from(used.reference, signs, work.spread)


def models_of(
    rows: RowTotals, model: ModelUsed, done: FileResult
) -> Iterator[tuple[str, ModelUsed, Signs | None, WorkCounts]]:
    """What each model of a run has answered.

    Args:
        rows: What was counted of the whole job.
        model: What answered.
        done: Tells of tokens.

    Yields:
        The name of each model, empty for one alone; what it is; its answers; the tokens.
    """
    if not model.each:
        yield "", model, rows.signs, WorkCounts(spread=done.spread)
        return
    for used, (name, one) in zip(model.each, rows.models.items(), strict=False):
        yield name, used, one.signs, done.work_of.get(name, WorkCounts())
