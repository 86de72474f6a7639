"""What an evaluation found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from textbatch.model.quality.metrics import Metrics
from textbatch.report.files import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How a bundle did on labelled rows.

    Attributes:
        rows: Rows read.
        metrics: Over the rows whose label the bundle knows; a row without evidence counts as
            wrong.
        ece_before: Expected calibration error of the uncalibrated probabilities, over the rows
            with evidence.
        ece_after: The same of the calibrated ones, which `score` writes.
        statuses: Rows by status.
        unlabelled: Rows left out, because they have no label.
        unseen_labels: Rows by true label that the bundle has never seen; in no metric.
        input: Paths of the labelled files.
        model: Path of the bundle.
        fingerprint: The bundle's.
    """

    rows: int
    metrics: Metrics
    ece_before: float
    ece_after: float
    statuses: Mapping[str, int]
    unlabelled: int = 0
    unseen_labels: Mapping[str, int] = field(default_factory=dict)
    input: tuple[str, ...] = ()
    model: str = ""
    fingerprint: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The record of `evaluate`: the evaluation as plain JSON values, and its state."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "state": "done"}
