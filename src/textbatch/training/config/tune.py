"""What `tune` and `audit`, which train many models, are asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textbatch.errors import require
from textbatch.training.config.train import TrainConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneConfig:
    """What `tune` is asked to do.

    Attributes:
        train: The rows, and the recipe that the search starts from.
        study: Directory that keeps the trials, so that a later run goes on.
        trials: Trials in all, those of earlier runs counted.
        time_budget: Seconds after which no trial starts, and the one under way ends with its
            pass over the rows; None for no bound.

    Raises:
        UsageError: A setting is out of its range.
    """

    train: TrainConfig
    study: Path = Path("study")
    trials: int = 30
    time_budget: float | None = None

    def __post_init__(self) -> None:
        require("--trials", self.trials, 1, 100_000)
        if self.time_budget is not None:
            require("--time-budget", self.time_budget, 1, 10_000_000)
