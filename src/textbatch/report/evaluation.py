"""The report of `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from textbatch.model.quality.metrics import Metrics
from textbatch.report.files import SCHEMA_VERSION
from textbatch.report.inline import Row, counted, inline, number
from textbatch.report.labels import shown_label


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

    def _repr_html_(self) -> str:
        """The measures for a notebook."""
        facts = {"rows": f"{self.rows:,}", **self.facts(), "model": self.model}
        left_out = {"unlabelled": self.unlabelled, "unreadable": self.unreadable}
        facts |= {name: f"{count:,}" for name, count in left_out.items() if count}
        tables = [self.label_table(), counted("status", self.statuses)]
        unseen = counted("label that the model does not know", self.unseen_labels)
        return inline("Evaluation", facts, *tables, unseen)

    def facts(self) -> dict[str, str]:
        """The measures over all labels, by name, as text."""
        return {
            "accuracy": number(self.metrics.accuracy),
            "macro F1": number(self.metrics.macro_f1),
            "expected calibration error": f"{number(self.ece_after)} "
            f"({number(self.ece_before)} before calibration)",
        }

    def label_table(self) -> tuple[Row, list[Row]]:
        """The measures of each label: the heads of the columns, and the rows, as text."""
        rows: list[Row] = [
            (
                shown_label(one.label),
                *map(number, (one.precision, one.recall, one.f1)),
                f"{one.rows:,}",
            )
            for one in self.metrics.labels
        ]
        return ("label", "precision", "recall", "F1", "rows"), rows
