"""What a training run did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from textbatch.model.fitting.settings import Epoch
from textbatch.model.quality.calibration import Calibration
from textbatch.model.vectors.coverage import VectorCoverage
from textbatch.report.comparison import Contender
from textbatch.report.evaluation import Evaluation
from textbatch.report.files import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """What a training run did.

    Attributes:
        model: Path of the bundle.
        rows: Rows by part: `training`, `validation`, `test`.
        epochs: What each pass over the training rows measured; none where the network was fitted
            elsewhere.
        best_epoch: The pass whose weights were kept; 0 where there is none.
        calibration: The temperature and what it did on the held-out rows.
        test: Metrics on the test rows, computed by the engine that `score` uses.
        blend_weight: Of the linear model's margins beside the network's logits; 0 without one.
        contenders: How simple models and the network alone do on the test rows.
        vectors: What pretrained vectors and unlabelled texts gave; None where none were named.
        warnings: What the user should look at.
        augmentation: What was asked for and tried, what it gave, and whether it was kept; None
            where nothing was asked for.
        self_training: What `--self-train` found, and whether it was kept; None where it was not
            asked for.
        fingerprint: The bundle's.
        seconds: Wall time.
        state: `done`; the record of a failed run says `failed`.
        near_duplicates: Rows that nearly repeat another: `grouped` rows, which the split kept on
            one side; in `validation` and `test` files, rows that repeat a training row.
        folds: What `--folds` found: mean and deviation of `accuracy`, `macro_f1`, `ece` over the
            folds, and each fold.
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
    augmentation: dict[str, Any] | None = None
    self_training: dict[str, Any] | None = None
    fingerprint: str = ""
    seconds: float = 0.0
    state: str = "done"
    near_duplicates: dict[str, int] = field(default_factory=dict)
    folds: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}

    def metrics(self) -> dict[str, Any]:
        """What the bundle keeps of it, as plain JSON values."""
        kept = (
            *("rows", "epochs", "best_epoch", "test", "blend_weight", "contenders"),
            *("vectors", "warnings", "near_duplicates", "folds", "augmentation", "self_training"),
        )
        return {name: value for name, value in asdict(self).items() if name in kept}
