"""The reports of `promote` and `rollback`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from textbatch.model.quality.metrics import LabelMetrics
from textbatch.report.files import SCHEMA_VERSION

PromoteState = Literal["done", "unchanged", "planned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMeasures:
    """What a model shows on the rows that both models are measured on.

    Attributes:
        fingerprint: Its fingerprint.
        accuracy: Share of right answers. Rows without evidence, and with a label that only the
            other model knows, count as wrong.
        macro_f1: Mean F1 over the labels that occur as true or predicted labels.
        ece: Expected calibration error of its confidences, over its rows with evidence.
        answered: Share of the rows with evidence.
        labels: Measures of each label of either model.
    """

    fingerprint: str
    accuracy: float
    macro_f1: float
    ece: float
    answered: float
    labels: tuple[LabelMetrics, ...]

    def value(self, name: str, label: str | None) -> float | None:
        """One measure; None if there is none.

        Args:
            name: Its name in a requirement.
            label: The label that it is of; None for all rows.
        """
        if label is None:
            return float(getattr(self, name))
        found = next((one for one in self.labels if one.label == label), None)
        return None if found is None else getattr(found, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two models, row by row.

    Attributes:
        both_right: Rows that both answer rightly.
        only_new_right: Rows that only the new one answers rightly.
        only_current_right: Rows that only the current one answers rightly.
        both_wrong: Rows that both answer wrongly.
        difference: Accuracy of the new one less that of the current one.
        low: Lower end of the 95 % interval of the difference (Agresti and Min 2005).
        high: Upper end of it.
        p_value: How often chance alone would make the two differ at least as much (McNemar's exact
            test).
    """

    both_right: int
    only_new_right: int
    only_current_right: int
    both_wrong: int
    difference: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A requirement, and what came of it.

    Attributes:
        requirement: As it was given.
        value: The new model's measure; None if no row defines it.
        bound: What it was compared with; None without a current model.
        met: Whether it is met; None if it was not checked, for lack of a current model.
    """

    requirement: str
    value: float | None
    bound: float | None
    met: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteReport:
    """What a run of `promote` did.

    Attributes:
        model: The new model, as it was named.
        to: The folder of releases.
        state: `done`; `unchanged` if it is the current model already; `planned` for a dry run.
        version: The version that is the current one now; empty for a dry run.
        fingerprint: Fingerprint of the new model.
        previous: The version that was the current one before; None if there was none.
        previous_fingerprint: Its fingerprint.
        input: Paths of the labelled files.
        rows: Rows that the models were measured on.
        unlabelled: Rows that were left out because they have no label.
        unreadable: Rows that were left out because they cannot be read.
        unseen_labels: Rows whose label neither model knows, by label. No measure counts them.
        new: Measures of the new model; None if nothing was measured.
        current: Measures of the current model; None if there is none, or nothing was measured.
        comparison: Both, row by row; None if there is nothing to compare.
        requirements: The requirements, and what came of them.
        removed: Versions that were removed, because more than `--keep` were there.
        warnings: What the user should look at.
    """

    model: str
    to: str
    state: PromoteState
    version: str
    fingerprint: str
    previous: str | None = None
    previous_fingerprint: str | None = None
    input: tuple[str, ...] = ()
    rows: int = 0
    unlabelled: int = 0
    unreadable: int = 0
    unseen_labels: Mapping[str, int] = field(default_factory=dict)
    new: ModelMeasures | None = None
    current: ModelMeasures | None = None
    comparison: Comparison | None = None
    requirements: tuple[Checked, ...] = ()
    removed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackReport:
    """What a run of `rollback` did.

    Attributes:
        releases: The folder of releases.
        state: `done`; `unchanged` if the version is the current one already; `planned` for a dry
            run.
        version: The version that is the current one now; of a dry run, that would be.
        fingerprint: Its fingerprint.
        previous: The version that was the current one before.
        previous_fingerprint: Its fingerprint.
    """

    releases: str
    state: PromoteState
    version: str
    fingerprint: str
    previous: str
    previous_fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}
