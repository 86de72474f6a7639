"""How the rows of a job that several processes have done differ from those of its models.

`finish` needs no model: the plan says what the rows are compared with.
"""

from __future__ import annotations

from collections.abc import Iterator

from textbatch.data.output.records import RowTotals
from textbatch.data.output.shard_plan import PLAN, PlanHead
from textbatch.data.output.signs import Signs
from textbatch.data.strict_json import as_record
from textbatch.errors import DataError
from textbatch.model.quality.drift import Drift, drift_from
from textbatch.model.quality.estimated_accuracy import EstimatedAccuracy, estimated_accuracy
from textbatch.model.quality.reference import Reference


def drifts_of(rows: RowTotals, head: PlanHead) -> Iterator[tuple[str, Drift | None]]:
    """Compare the rows of a job with what its models were measured on.

    Args:
        rows: What was counted of all parts.
        head: The plan.

    Yields:
        The name of each model, empty for one alone, and what was found.

    Raises:
        DataError: The plan is damaged.
    """
    for name, signs, reference in compared(rows, head):
        yield name, drift_from(reference, signs)


def estimates_of(rows: RowTotals, head: PlanHead) -> Iterator[tuple[str, EstimatedAccuracy | None]]:
    """Estimate how many answers are right.

    Args:
        rows: What was counted of all parts.
        head: The plan.

    Yields:
        The name of each model, empty for one alone, and the estimate.

    Raises:
        DataError: The plan is damaged.
    """
    for name, signs, reference in compared(rows, head):
        yield name, estimated_accuracy(reference, signs)


def compared(
    rows: RowTotals, head: PlanHead
) -> Iterator[tuple[str, Signs | None, Reference | None]]:
    """What the rows of a job are like, and what they are compared with.

    Args:
        rows: What was counted of all parts.
        head: The plan.

    Yields:
        The name of each model, empty for one alone; its answers; the held-out rows.

    Raises:
        DataError: The plan is damaged.
    """
    answers = {name: one.signs for name, one in rows.models.items()} or {"": rows.signs}
    for (name, signs), told in zip(answers.items(), head.compared_with, strict=False):
        try:
            yield name, signs, None if told is None else as_record(Reference, told)
        except ValueError as error:
            raise DataError(
                f"{PLAN} is damaged, or of another version of textbatch",
                "remove it, then run the shares again",
            ) from error
