"""One training: its options and all that its steps need."""

from __future__ import annotations

from dataclasses import dataclass, replace

from textbatch.model.bundle.bundle import Bundle
from textbatch.report.listener import SILENT, Listener
from textbatch.training.augment.sources import NO_SOURCES, Sources
from textbatch.training.config.train import TrainConfig
from textbatch.training.recipes.presets import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """The values that every step of a training needs.

    Attributes:
        config: The options.
        recipe: Which network is fitted, and how.
        sources: What the training rows are augmented from.
        listener: Gets messages and progress.
        parent: The model to go on from; None to begin anew.
    """

    config: TrainConfig
    recipe: Recipe
    sources: Sources = NO_SOURCES
    listener: Listener = SILENT
    parent: Bundle | None = None

    def with_methods(self, methods: tuple[str, ...]) -> TrainingRun:
        """A copy with other methods of augmentation."""
        return replace(self, sources=self.sources.only(methods))

    def with_seed(self, seed: int) -> TrainingRun:
        """A copy with another seed."""
        return replace(self, config=replace(self.config, seed=seed))

    def heard_by(self, listener: Listener) -> TrainingRun:
        """A copy with another listener."""
        return replace(self, listener=listener)
