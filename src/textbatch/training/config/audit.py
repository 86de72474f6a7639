"""What `audit` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textbatch.data.choices import FailOrReplace
from textbatch.errors import UsageError
from textbatch.training.config.train import TrainConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditConfig:
    """What `audit` is asked to do.

    Attributes:
        train: The rows, and how the models of its `folds` are trained.
        output: Parquet or CSV file to write, by its name.
        model: Bundle to ask instead of a cross-validation; it must not know the rows.
        texts: Write the texts too.
        if_exists: What to do with an existing output: fail, or replace it.

    Raises:
        UsageError: A setting is out of its range.
    """

    train: TrainConfig
    output: Path = Path("label-errors.parquet")
    model: Path | None = None
    texts: bool = False
    if_exists: FailOrReplace = "fail"

    def __post_init__(self) -> None:
        if self.output.suffix not in (".parquet", ".csv"):
            raise UsageError(
                f"--output {self.output} is neither .parquet nor .csv", "give it such a name"
            )
        if not (self.model or self.train.folds):
            raise UsageError("--folds is 0", "give at least 2, or a --model")
