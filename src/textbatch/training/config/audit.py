"""The options of `audit`."""

from __future__ import annotations

from pathlib import Path

from textbatch.data.options import ReplaceOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import UsageError
from textbatch.options import option, options
from textbatch.report.options import ReportOptions
from textbatch.training.config.groups import JobOptions, RecipeOptions, RowOptions
from textbatch.training.config.train import TrainConfig


@options
class AuditConfig(RowOptions, RecipeOptions, JobOptions, ReplaceOptions, ReportOptions):
    """The options of `audit`.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Two settings exclude each other.
    """

    output: Path = option(
        ".parquet or .csv file.",
        default=Path("label-errors.parquet"),
        flags=("--output", "-o"),
        use="written",
    )
    model: Location | None = option(
        "Use this model, which must not have seen the rows.",
        default=None,
        flags=("--model", "-m"),
        of=location_of,
        use="read",
    )
    folds: int = option("Cross-validate in K parts.", default=5)
    texts: bool = option("Write the texts too.", default=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output.suffix not in (".parquet", ".csv"):
            raise UsageError(
                f"--output {self.output} is neither .parquet nor .csv", "give it such a name"
            )
        if not (self.model or self.folds):
            raise UsageError("--folds is 0", "give at least 2, or a --model")
        _ = self.train  # refuses now what training would refuse later

    @property
    def train(self) -> TrainConfig:
        """The options for training the models of the folds."""
        return TrainConfig(**self.in_common(TrainConfig), folds=self.folds)
