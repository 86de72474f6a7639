"""The report of `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from textbatch.model.quality.confidence_limits import LimitMeasure
from textbatch.model.quality.label_sets import LabelSetMeasure
from textbatch.model.quality.metrics import Metrics
from textbatch.report.files import SCHEMA_VERSION
from textbatch.report.inline import Row, counted, inline, number
from textbatch.report.labels import shown_label

#: A smaller difference of calibration errors is not worth a word.
_WORSE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenWeight:
    """A token that carried an answer.

    Attributes:
        token: The token.
        weight: By how much the log-odds of the label fall without it.
    """

    token: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SurestError:
    """A wrong answer with a high confidence.

    Attributes:
        row: Number of the row in the input, from 1. Several files are counted one after the other.
        true: The true label.
        predicted: The predicted label.
        confidence: Its confidence.
        tokens: The tokens that carried it.
    """

    row: int
    true: str
    predicted: str
    confidence: float
    tokens: tuple[TokenWeight, ...]

    @property
    def words(self) -> str:
        """The tokens with their weights, as text."""
        return ", ".join(f"{one.token} {one.weight:+.1f}" for one in self.tokens)


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
        weightless: Rows that were left out because their weight is 0.
        weighted: Whether shares and errors go by the weights of the rows.
        unseen_labels: Rows whose label the bundle does not know, by label. No metric counts them.
        input: Paths of the labelled files.
        model: Path of the bundle.
        fingerprint: The bundle's fingerprint.
        limits: What a limit on the confidence would do to the rows that the metrics count.
        label_sets: What sets of labels do, with `--label-sets`; else None.
        errors: The surest mistakes, surest first, where `--explain` asked for them.
        warnings: What the user should look at.
    """

    rows: int
    metrics: Metrics
    ece_before: float
    ece_after: float
    statuses: Mapping[str, int]
    unlabelled: int = 0
    unreadable: int = 0
    weightless: int = 0
    weighted: bool = False
    unseen_labels: Mapping[str, int] = field(default_factory=dict)
    input: tuple[str, ...] = ()
    model: str = ""
    fingerprint: str = ""
    limits: tuple[LimitMeasure, ...] = ()
    label_sets: LabelSetMeasure | None = None
    errors: tuple[SurestError, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values, with its state."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "state": "done"}

    def _repr_html_(self) -> str:
        """The measures for a notebook."""
        facts = {"rows": f"{self.rows:,}", **self.facts(), "model": self.model}
        left_out = {
            "unlabelled": self.unlabelled,
            "unreadable": self.unreadable,
            "weight 0": self.weightless,
        }
        facts |= {name: f"{count:,}" for name, count in left_out.items() if count}
        tables = [self.label_table(), counted("status", self.statuses)]
        unseen = counted("label that the model does not know", self.unseen_labels)
        return inline("Evaluation", facts, *tables, unseen)

    def facts(self) -> dict[str, str]:
        """The measures over all labels, by name, as text."""
        told = {
            "accuracy": number(self.metrics.accuracy),
            "macro F1": number(self.metrics.macro_f1),
            "expected calibration error": f"{number(self.ece_after)} "
            f"({number(self.ece_before)} before calibration)",
        }
        if self.weighted:
            told["weights"] = "these measures go by the weights of the rows"
        if found := self.label_sets:
            told["label sets"] = (
                f"hold the true label in {found.coverage:.2%} of the rows ({found.asked:.4g} was "
                f"asked for), {found.mean_size:.2f} labels in a set on average, one in "
                f"{found.single:.1%} of the sets"
            )
            if found.worst_label is not None:
                worst = shown_label(found.worst_label)
                told["label held least often"] = f"{worst}: {found.worst_coverage:.2%}"
        return told

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


def worse_calibration(error: float, in_training: float, by_chance: float) -> str | None:
    """A remark if confidences mean less than on the test rows of the training.

    Args:
        error: Expected calibration error on the rows.
        in_training: The same on the test rows of the training.
        by_chance: What confidences that mean what they say would stay below, 19 times in 20.
    """
    if error < in_training + _WORSE or error <= by_chance:
        return None
    return (
        f"the calibration is worse than in training: the confidences are off by {error:.3f} on "
        f"average, by {in_training:.3f} on the test rows then; these rows differ from those, so "
        "train with rows like these"
    )
