"""Which checkpoint a training may go on from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version

import pyarrow as pa

from textbatch import __version__
from textbatch.data.readers.listing import find_files
from textbatch.data.storage.location import Location
from textbatch.errors import InputNotFoundError
from textbatch.model.fitting.checkpoint import Checkpoint
from textbatch.training.config.train import TrainConfig
from textbatch.training.recipes.presets import Recipe
from textbatch.training.split.dataset import Parts

_LIBRARIES = ("keras", "tensorflow", "gensim", "numpy")


def open_checkpoint(
    config: TrainConfig, parts: Parts, recipe: Recipe, say: Callable[[str], None]
) -> Checkpoint:
    """The checkpoint beside the model, `.<model>.training/`, read where `--resume` asks for it.

    It belongs to a training by the rows, the settings, the seed and the versions; what belongs to
    another one is left behind, and the training starts from the beginning.

    Args:
        config: Of the training.
        parts: Its rows.
        recipe: How they are learned from.
        say: Told what becomes of an old checkpoint.
    """
    model = config.model.resolve()
    checkpoint = Checkpoint(
        model.with_name(f".{model.name}.training"), key=_key(config, parts, recipe)
    )
    there = checkpoint.folder.is_dir()
    if config.resume and checkpoint.find() and checkpoint.state:
        say(f"going on after epoch {len(checkpoint.state.history)} of an interrupted run")
        return checkpoint
    if config.resume and there:
        say(
            "the checkpoint is damaged, or of other rows, settings, seed or versions: "
            "starting from the beginning"
        )
    elif config.resume:
        say("there is no checkpoint to go on from: starting from the beginning")
    elif there:
        say("an interrupted run left a checkpoint, which --resume would have gone on from")
    checkpoint.remove()
    return checkpoint


def _key(config: TrainConfig, parts: Parts, recipe: Recipe) -> str:
    digest = hashlib.sha256()
    for part in (parts.training, parts.validation):
        names = ["texts", "labels"]
        digest.update(pa.record_batch([part.texts, part.labels], names=names).serialize())
    settings = {name: _told(value) for name, value in config.decisive().items()}
    versions = [__version__, *map(version, _LIBRARIES)]
    digest.update(repr((parts.labels, recipe, settings, versions)).encode())
    return digest.hexdigest()


def _told(setting: object) -> object:
    """A setting; of files also their versions, for their content counts."""
    if isinstance(setting, tuple):
        return tuple(map(_told, setting))
    if isinstance(setting, Location):
        with suppress(InputNotFoundError):
            found = find_files([setting], "auto", is_known=lambda _: True)
            return os.fspath(setting), [one.state for one in found.files]
    return setting
