"""The options of `tune`."""

from __future__ import annotations

from pathlib import Path

from textbatch.options import option, options
from textbatch.report.options import ReportOptions
from textbatch.training.config.groups import HeldOutOptions, RecipeOptions, RowOptions
from textbatch.training.config.train import TrainConfig

#: Files in the study's directory.
STUDY, BEST = "study.db", "best.toml"


@options
class TuneConfig(RowOptions, HeldOutOptions, RecipeOptions, ReportOptions):
    """The options of `tune`. Its `preset` and `settings` are where the search starts.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Settings exclude each other.
    """

    study: Path = option(
        "Directory of the trials; a later run continues them.",
        default=Path("study"),
        use="written",
        writes=lambda study: (study / STUDY, study / BEST),
    )
    trials: int = option(
        "Number of trials, with those of earlier runs.", default=30, low=1, high=100_000
    )
    time_budget: float | None = option(
        "Seconds after which no trial begins.", default=None, low=1, high=10_000_000
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.train  # what training would refuse is refused now

    @property
    def train(self) -> TrainConfig:
        """The options for training the network of a trial."""
        return TrainConfig(**self.in_common(TrainConfig))
