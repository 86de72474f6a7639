"""The report of `diff`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from textbatch.errors import QualityGateError
from textbatch.report.files import SCHEMA_VERSION
from textbatch.report.inline import Row, inline, number
from textbatch.report.labels import shown_label
from textbatch.report.promotion import Comparison

#: What stands for a missing label in tables.
NO_LABEL = "(no label)"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffSide:
    """One of the two outputs or models.

    Attributes:
        path: Where it is.
        rows: Its rows; of a model those that it has answered.
        fingerprint: The model's fingerprint; empty if it is not known.
        mean_confidence: Mean confidence of the rows that have one on both sides; None without any.
        accuracy: Share of right labels, of the rows with a true label; None without any.
    """

    path: str
    rows: int
    fingerprint: str
    mean_confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipPair:
    """Rows that had one label, and have another one now.

    Attributes:
        old: The label that they had; None for no label.
        new: The label that they have; None for no label.
        rows: Their number.
        mended: Those of them that were wrong and are right now; None without true labels.
        broken: Those of them that were right and are wrong now; None without true labels.
    """

    old: str | None
    new: str | None
    rows: int
    mended: int | None = None
    broken: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """Rows with another status.

    Attributes:
        old: The status that they had; None without one.
        new: The status that they have; None without one.
        rows: Their number.
    """

    old: str | None
    new: str | None
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChange:
    """How many rows a label had, and has.

    Attributes:
        label: The label; None for no label.
        old: Rows that had it.
        new: Rows that have it.
    """

    label: str | None
    old: int
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipExample:
    """A row with another label.

    Attributes:
        old_row: Its number in the old output, from 1; of `--on`, its number there.
        new_row: Its number in the new output, from 1.
        old: The label that it had; None for no label.
        new: The label that it has; None for no label.
        true: The true label; None if it is not known.
        old_confidence: Confidence of the old label; None without one.
        new_confidence: Confidence of the new label; None without one.
        cells: Cells that were asked for, by column, as texts.
    """

    old_row: int
    new_row: int
    old: str | None
    new: str | None
    true: str | None
    old_confidence: float | None
    new_confidence: float | None
    cells: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceShift:
    """How confidences have changed.

    Attributes:
        rows: Rows with a confidence on both sides.
        mean: Mean of the new confidence less the old one; None without such rows.
        mean_absolute: Mean of the difference without its sign; None without such rows.
        old_histogram: Rows by old confidence, in equal bins from 0 to 1.
        new_histogram: Rows by new confidence, in the same bins.
        shift_histogram: Rows by new confidence less old one, in equal bins from -1 to 1.
    """

    rows: int
    mean: float | None
    mean_absolute: float | None
    old_histogram: tuple[int, ...]
    new_histogram: tuple[int, ...]
    shift_histogram: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffReport:
    """What has changed between two outputs, or two models on the same rows.

    Attributes:
        old: The old side.
        new: The new side.
        matched_by: `position`, `key`, or `model` where two models answered the same rows.
        rows: Rows that both have; all other numbers are about these.
        only_old: Rows that only the old one has.
        only_new: Rows that only the new one has.
        flips: Rows with another label. No label counts as one more label.
        flip_share: Their share of the rows.
        lost: Flips that had a label and have none now.
        gained: Flips that had no label and have one now.
        flip_pairs: Flips by old and new label, the most frequent first.
        other_flips: Flips of pairs that are not listed, because there are too many.
        labels: Rows by label, in the order of the models.
        statuses: Rows with another status, the most frequent first.
        confidence: How confidences have changed.
        comparison: Both against the true labels, where the old side is the current one; None
            without them.
        true_rows: Rows with a true label that a model can give.
        unseen_labels: Rows with another true label, by it. No measure counts them.
        examples: The worst flips: those that were right and are wrong now, then the surest.
        fail_if_flips: How many flips were allowed; None for any number.
        failed: Whether there are more.
        warnings: What the user should look at.
    """

    old: DiffSide
    new: DiffSide
    matched_by: str
    rows: int
    only_old: int
    only_new: int
    flips: int
    flip_share: float
    lost: int
    gained: int
    flip_pairs: tuple[FlipPair, ...]
    other_flips: int
    labels: tuple[LabelChange, ...]
    statuses: tuple[StatusChange, ...]
    confidence: ConfidenceShift
    comparison: Comparison | None = None
    true_rows: int = 0
    unseen_labels: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[FlipExample, ...] = ()
    fail_if_flips: str | None = None
    failed: bool = False
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values, with its state."""
        told = {"schema_version": SCHEMA_VERSION, **asdict(self), "state": "done"}
        if self.failed:
            error = self.refusal()
            told |= {"state": "failed", "error": str(error), "exit_code": error.exit_code}
        return told

    def refusal(self) -> QualityGateError:
        """The error where more rows have another label than `--fail-if-flips` allows."""
        return QualityGateError(
            f"{self.flips:,} of {self.rows:,} rows ({self.flip_share:.2%}) have another label; "
            f"--fail-if-flips allows {self.fail_if_flips}",
            "look at the flips, or allow that many",
        )

    def facts(self) -> dict[str, str]:
        """The main numbers by name, as text."""
        moved = self.confidence
        told = {
            "rows": f"{self.rows:,}",
            "flips": f"{self.flips:,} ({self.flip_share:.2%})",
            "mean confidence": f"{number(self.old.mean_confidence)} → "
            f"{number(self.new.mean_confidence)}",
            "mean change of a confidence": number(moved.mean_absolute),
        }
        if self.lost or self.gained:
            told["labels lost, gained"] = f"{self.lost:,}, {self.gained:,}"
        if self.only_old or self.only_new:
            told["rows only in old, only in new"] = f"{self.only_old:,}, {self.only_new:,}"
        if self.comparison:
            told["accuracy"] = f"{number(self.old.accuracy)} → {number(self.new.accuracy)}"
        return told

    def _repr_html_(self) -> str:
        """The numbers for a notebook."""
        pairs = [
            (label_or_none(one.old), label_or_none(one.new), f"{one.rows:,}")
            for one in self.flip_pairs
        ]
        heads: Row = ("from", "to", "rows")
        return inline("What has changed", self.facts(), (heads, pairs), notes=self.warnings)


def label_or_none(label: str | None) -> str:
    """A label for a table, or what stands for none."""
    return NO_LABEL if label is None else shown_label(label)
