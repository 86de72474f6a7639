"""The unlabelled texts of a training."""

from __future__ import annotations

from textbatch.data.readers.unlabelled import UnlabelledFiles
from textbatch.training.config.train import TrainConfig


def unlabelled_of(config: TrainConfig) -> UnlabelledFiles:
    """The files of `--unlabelled`, read with the options of the labelled ones that fit."""
    return UnlabelledFiles(
        inputs=config.unlabelled,
        options=config.reading(),
        text_column=config.text_column,
        beside=True,
    )
