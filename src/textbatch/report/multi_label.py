"""The reports of `train --multi-label`, and of `evaluate` with such a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from textbatch.model.fitting.settings import Epoch
from textbatch.model.quality.multi_label_metrics import MultiLabelMetrics
from textbatch.report.files import SCHEMA_VERSION
from textbatch.report.inline import Row, counted, inline, number
from textbatch.report.labels import shown_label


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelEvaluation:
    """How well a bundle finds the labels of rows that have any number of them.

    Attributes:
        rows: Rows read.
        metrics: Measures over these rows. A row without evidence is given no label.
        ece: Expected calibration error over all pairs of a row with evidence and a label.
        statuses: Rows by status.
        unlabelled: Rows that were left out because their list is missing.
        unreadable: Rows that were left out because they cannot be read.
        unseen_labels: Rows with a label that the bundle does not know, by label. The other labels
            of these rows are measured; the rows are never exactly right.
        input: Paths of the labelled files.
        model: Path of the bundle.
        fingerprint: The bundle's fingerprint.
        warnings: What the user should look at.
    """

    rows: int
    metrics: MultiLabelMetrics
    ece: float
    statuses: Mapping[str, int]
    unlabelled: int = 0
    unreadable: int = 0
    unseen_labels: Mapping[str, int] = field(default_factory=dict)
    input: tuple[str, ...] = ()
    model: str = ""
    fingerprint: str = ""
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values, with its state."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "state": "done"}

    def facts(self) -> dict[str, str]:
        """The measures over all labels, by name, as text."""
        found = self.metrics
        return {
            "micro F1": number(found.micro_f1),
            "macro F1": number(found.macro_f1),
            "all labels of a row right": number(found.subset_accuracy),
            "labels of a row": f"{found.mean_predicted:.2f} given, {found.mean_true:.2f} true",
            "expected calibration error": number(self.ece),
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

    def left_out(self) -> Iterator[str]:
        """What was left out, in lines."""
        if self.unlabelled:
            yield f"left out, without a list of labels: {self.unlabelled:,} rows"
        if self.unreadable:
            yield f"left out, cannot be read: {self.unreadable:,} rows"
        if self.unseen_labels:
            yield (
                f"labels that the model has never seen: {len(self.unseen_labels):,}, on "
                f"{sum(self.unseen_labels.values()):,} places"
            )

    def _repr_html_(self) -> str:
        """The measures for a notebook."""
        facts = {"rows": f"{self.rows:,}", **self.facts(), "model": self.model}
        return inline("Evaluation", facts, self.label_table(), counted("status", self.statuses))


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelReport:
    """What `train --multi-label` did.

    Attributes:
        model: Path of the bundle.
        rows: Rows of each split.
        epochs: What each epoch measured.
        best_epoch: Number of the epoch whose weights were kept.
        test: Measures on the test rows, with the engine that `score` uses.
        baseline: The same measures of a TF-IDF model: a linear support vector machine for each
            label.
        blend_weight: Weight of the linear model beside the network; 0 without one.
        warnings: What the user should look at.
        left_out: Rows of the files that were left out, by the reason.
        near_duplicates: Rows that nearly repeat another, as in `TrainReport`.
        fingerprint: Fingerprint of the bundle.
        seconds: Wall time.
        state: `done`; the record of a failed run says `failed`.
    """

    model: str
    rows: dict[str, int]
    epochs: list[Epoch]
    best_epoch: int
    test: MultiLabelEvaluation
    baseline: MultiLabelMetrics
    blend_weight: float
    warnings: list[str]
    left_out: dict[str, int] = field(default_factory=dict)
    near_duplicates: dict[str, int] = field(default_factory=dict)
    fingerprint: str = ""
    seconds: float = 0.0
    state: str = "done"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}

    def metrics(self) -> dict[str, object]:
        """The part that the bundle keeps, as plain JSON values."""
        told = asdict(self)
        kept = ("rows", "epochs", "best_epoch", "baseline", "blend_weight", "warnings")
        return {"multi_label_test": told["test"], **{name: told[name] for name in kept}}

    def comparison(self) -> tuple[Row, list[Row]]:
        """The model beside the baseline: the heads of the columns, and the rows, as text."""
        each = {"TF-IDF + linear SVM": self.baseline, "this model": self.test.metrics}
        rows: list[Row] = [
            (name, *map(number, (one.micro_f1, one.macro_f1, one.subset_accuracy)))
            for name, one in each.items()
        ]
        return ("on the test rows", "micro F1", "macro F1", "all right"), rows

    def _repr_html_(self) -> str:
        """The report for a notebook."""
        facts = {
            "model": self.model,
            "rows": ", ".join(f"{name} {count:,}" for name, count in self.rows.items()),
            "epochs": f"{len(self.epochs)}, the best is number {self.best_epoch}",
            "seconds": f"{self.seconds:,.0f}",
            **{f"test: {name}": value for name, value in self.test.facts().items()},
        }
        tables = (self.comparison(), self.test.label_table())
        return inline("Training", facts, *tables, notes=self.warnings)
