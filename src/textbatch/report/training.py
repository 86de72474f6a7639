"""The report of `train`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from textbatch.model.fitting.settings import Epoch
from textbatch.model.quality.calibration import Calibration
from textbatch.model.vectors.coverage import VectorCoverage
from textbatch.report.comparison import Contender
from textbatch.report.evaluation import Evaluation
from textbatch.report.files import SCHEMA_VERSION
from textbatch.report.folds import folds_line
from textbatch.report.inline import inline, number
from textbatch.report.learning_curve import LearningCurve
from textbatch.text.choices import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentationRecord:
    """What became of augmentation.

    Attributes:
        asked: What `--augment` asked for.
        methods: The methods that were used or tried.
        kept: Whether the model was trained with them.
        trials: With `auto`, for each seed: the least validation loss without and with them.
    """

    asked: str
    methods: list[str]
    kept: bool
    trials: list[dict[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LongTextsRecord:
    """Which part of texts that are longer than the network reads the model uses.

    Attributes:
        limit: How many tokens the network reads at once.
        rows: Longer held-out rows, which decided.
        losses: What they lose by each part that was tried, in nats a row.
        chosen: The part that `score` uses, where `--on-long` does not say otherwise.
    """

    limit: int
    rows: int
    losses: dict[str, float]
    chosen: Part

    def line(self) -> str:
        """Describe the choice in one line."""
        told = ", ".join(f"{part} {loss:.3f}" for part, loss in self.losses.items())
        return (
            f"texts of more than {self.limit:,} tokens: {self.chosen} is used; "
            f"{self.rows:,} held-out rows lose, by the part that is read: {told}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTrainingRecord:
    """What became of self-training.

    Attributes:
        texts: Unlabelled texts that were predicted.
        rows: Texts that were learned from.
        without: Least validation loss of the first network.
        with_rows: Least validation loss of the network that learned from them.
        kept: Whether it replaced the first one.
    """

    texts: int
    rows: int
    without: float
    with_rows: float
    kept: bool

    def line(self) -> str:
        """Describe it in one line, for the terminal."""
        return (
            f"self-training on {self.rows:,} of {self.texts:,} texts "
            f"{'kept' if self.kept else 'left out'}: validation loss {self.without:.4f} without, "
            f"{self.with_rows:.4f} with it"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatedLabel:
    """What an update did to a label.

    Attributes:
        label: The label.
        rows: Test rows that have it.
        before: Share of them that the old model answers right; None without rows.
        after: The same of the new model.
    """

    label: str
    rows: int
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRecord:
    """What an update did, on the test rows.

    Attributes:
        fingerprint: Fingerprint of the model of `--update`.
        before: Accuracy of that model.
        after: Accuracy of the new one.
        labels: The same by label.
    """

    fingerprint: str
    before: float
    after: float
    labels: list[UpdatedLabel]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldScore:
    """How good the network was on a fold that it had not seen.

    Attributes:
        fold: Number of the fold, from 1.
        rows: Number of rows in the fold.
        accuracy: Share of right labels; a row without evidence counts as wrong.
        macro_f1: Mean F1 over the labels.
        ece: Expected calibration error, after `temperature`.
        temperature: The temperature, found on rows of the other folds.
        best_epoch: Number of the epoch whose weights were used.
    """

    fold: int
    rows: int
    accuracy: float
    macro_f1: float
    ece: float
    temperature: float
    best_epoch: int

    def line(self, folds: int) -> str:
        """Describe the fold in one line, for the terminal.

        Args:
            folds: Number of all folds.
        """
        return (
            f"fold {self.fold} of {folds}: accuracy {self.accuracy:.4f}, macro F1 "
            f"{self.macro_f1:.4f}, ECE {self.ece:.4f} on {self.rows:,} rows"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One measure over the folds.

    Attributes:
        mean: Mean over the folds.
        deviation: Sample standard deviation.
    """

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldsSummary:
    """What a cross-validation measured.

    Attributes:
        rows: Number of rows in all folds.
        without_evidence: Number of rows without a known token.
        accuracy: Share of right labels.
        macro_f1: Mean F1 over the labels.
        ece: Expected calibration error.
        folds: The measures of each fold.
    """

    rows: int
    without_evidence: int
    accuracy: Spread
    macro_f1: Spread
    ece: Spread
    folds: list[FoldScore]

    def line(self) -> str:
        """Describe the cross-validation in one line."""
        return folds_line(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """What a training run did.

    Attributes:
        model: Path of the bundle.
        rows: Number of rows in each split: `training`, `validation`, `test`.
        epochs: What each epoch measured; empty if the network was fitted elsewhere.
        best_epoch: The epoch whose weights were kept; 0 if there is none.
        calibration: The temperature and what it did on the held-out rows.
        test: Metrics on the test rows, computed by the engine that `score` uses.
        blend_weight: Weight of the linear model's margins beside the network's logits; 0 without
            a linear model.
        contenders: How simple models and the network alone do on the test rows.
        vectors: How many words pretrained vectors and unlabelled texts cover; None if none were
            given.
        warnings: What the user should look at.
        augmentation: What became of augmentation; None if it was not asked for.
        self_training: What became of `--self-train`; None if it was not asked for.
        fingerprint: Fingerprint of the bundle.
        seconds: Wall time.
        state: `done`; the record of a failed run says `failed`.
        near_duplicates: Rows that nearly repeat another: `grouped` rows, which the split kept on
            one side; in `validation` and `test` files, rows that repeat a training row.
        folds: What `--folds` measured; None if it was not asked for.
        left_out: Rows of the files that were left out: `unreadable`, `unlabelled`, `no_words`,
            `rare_label`, `weight_0`.
        measured_on: What `test` was measured on: `test rows`, or all rows, each by the models of
            its fold: `folds`.
        learning_curve: What more rows would bring; None without folds.
        spellings: Labels of the files that differ only by case, blanks, invisible characters or
            the form of letters: of each such label its spellings, with their rows.
        teacher: Fingerprint of the model of `--teacher`; None without one.
        long_texts: Which part of long texts is used; None where only a few rows are long.
        updated: What `--update` did; None without it.
    """

    model: str
    rows: dict[str, int]
    epochs: list[Epoch]
    best_epoch: int
    calibration: Calibration
    test: Evaluation
    blend_weight: float
    contenders: list[Contender]
    warnings: list[str]
    vectors: VectorCoverage | None = None
    augmentation: AugmentationRecord | None = None
    self_training: SelfTrainingRecord | None = None
    fingerprint: str = ""
    seconds: float = 0.0
    state: str = "done"
    near_duplicates: dict[str, int] = field(default_factory=dict)
    folds: FoldsSummary | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    measured_on: Literal["test rows", "folds"] = "test rows"
    learning_curve: LearningCurve | None = None
    spellings: list[dict[str, int]] = field(default_factory=list)
    teacher: str | None = None
    long_texts: LongTextsRecord | None = None
    updated: UpdateRecord | None = None

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}

    def _repr_html_(self) -> str:
        """The report for a notebook."""
        facts = {
            "model": self.model,
            "rows": ", ".join(f"{name} {count:,}" for name, count in self.rows.items()),
            "epochs": f"{len(self.epochs)}, the best is number {self.best_epoch}",
            "temperature": f"{self.calibration.temperature:.3f}",
            "seconds": f"{self.seconds:,.0f}",
            **{f"test: {name}": value for name, value in self.test.facts().items()},
        }
        if self.updated:
            facts["accuracy before the update"] = number(self.updated.before)
        if self.folds:
            facts["cross-validation"] = self.folds.line()
        if self.learning_curve:
            facts["more rows"] = self.learning_curve.line()
        facts |= {f"left out: {name}": f"{count:,}" for name, count in self.left_out.items()}
        found = self.test.metrics
        rows = [(one.name, number(one.accuracy), number(one.macro_f1)) for one in self.contenders]
        rows.append(("this model", number(found.accuracy), number(found.macro_f1)))
        beside = ((f"on the {self.measured_on}", "accuracy", "macro F1"), rows)
        return inline("Training", facts, beside, self.test.label_table(), notes=self.warnings)

    def metrics(self) -> dict[str, object]:
        """The part that the bundle keeps, as plain JSON values."""
        kept = (
            *("rows", "epochs", "best_epoch", "test", "blend_weight", "contenders"),
            *("vectors", "warnings", "near_duplicates", "folds", "augmentation", "self_training"),
            *("measured_on", "learning_curve", "long_texts"),
        )
        values = {name: value for name, value in asdict(self).items() if name in kept}
        return {**values, "updated": asdict(self.updated)} if self.updated else values
