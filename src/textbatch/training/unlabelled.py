"""The unlabelled texts of a training."""

from __future__ import annotations

from textbatch.data.readers.unlabelled import UnlabelledFiles
from textbatch.training.config.train import TrainConfig


def unlabelled_of(config: TrainConfig) -> UnlabelledFiles:
    """Return the files of `--unlabelled`, with those reading options that fit them."""
    return UnlabelledFiles(
        inputs=config.unlabelled,
        options=config.reading(),
        text_column=config.text_column,
        beside=True,
    )
