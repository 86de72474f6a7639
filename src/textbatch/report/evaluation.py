"""The report of `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from textbatch.model.quality.metrics import Metrics
from textbatch.report.files import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How well a bundle predicts labelled rows.

    Attributes:
        rows: Rows read.
        metrics: Measures over the rows whose label the bundle knows. A row without evidence
            counts as wrong.
        ece_before: Expected calibration error of the uncalibrated probabilities, over the rows
            with evidence.
        ece_after: The same of the calibrated probabilities, which `score` writes.
        statuses: Rows by status.
        unlabelled: Rows that were left out because they have no label.
        unreadable: Rows that were left out because they cannot be read.
        unseen_labels: Rows whose label the bundle does not know, by label. No metric counts them.
        input: Paths of the labelled files.
        model: Path of the bundle.
        fingerprint: The bundle's fingerprint.
    """

    rows: int
    metrics: Metrics
    ece_before: float
    ece_after: float
    statuses: Mapping[str, int]
    unlabelled: int = 0
    unreadable: int = 0
    unseen_labels: Mapping[str, int] = field(default_factory=dict)
    input: tuple[str, ...] = ()
    model: str = ""
    fingerprint: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values, with its state."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "state": "done"}
