"""Which checkpoint a training may go on from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

from textbatch import __version__
from textbatch.model.fitting.checkpoint import Checkpoint
from textbatch.training.config.train import TrainConfig
from textbatch.training.recipes.presets import Recipe
from textbatch.training.split.dataset import Parts

#: Settings that do not decide the weights; the rows of the files count themselves.
_BESIDE = (
    "inputs", "model", "text_column", "label_column", "validation", "test", "if_exists", "report",
    "settings", "folds", "jobs", "out_of_fold", "resume", "blend", "require_baseline",
    "report_texts", "refit", "self_train",
)  # fmt: skip
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
    settings = [_told(getattr(config, f.name)) for f in fields(config) if f.name not in _BESIDE]
    versions = [__version__, *map(version, _LIBRARIES)]
    digest.update(repr((parts.labels, recipe, settings, versions)).encode())
    return digest.hexdigest()


def _told(setting: object) -> object:
    """A setting; of a file also its size and time, for its content counts."""
    if isinstance(setting, tuple):
        return tuple(map(_told, setting))
    if isinstance(setting, Path) and setting.is_file():
        found = setting.stat()
        return os.fspath(setting), found.st_size, found.st_mtime_ns
    return setting
