"""One training: what was asked for, and all that its steps need."""

from __future__ import annotations

from dataclasses import dataclass, replace

from textbatch.report.listener import SILENT, Listener
from textbatch.training.augment.sources import NO_SOURCES, Sources
from textbatch.training.config.train import TrainConfig
from textbatch.training.recipes.presets import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """What travels through a training.

    Attributes:
        config: What was asked for.
        recipe: Which network, and how it is fitted.
        sources: What the training rows are augmented from.
        listener: Hears messages and steps.
    """

    config: TrainConfig
    recipe: Recipe
    sources: Sources = NO_SOURCES
    listener: Listener = SILENT

    def with_methods(self, methods: tuple[str, ...]) -> TrainingRun:
        """The same with other methods of augmentation."""
        return replace(self, sources=self.sources.only(methods))

    def with_seed(self, seed: int) -> TrainingRun:
        """The same from another seed."""
        return replace(self, config=replace(self.config, seed=seed))

    def heard_by(self, listener: Listener) -> TrainingRun:
        """The same with another listener."""
        return replace(self, listener=listener)
