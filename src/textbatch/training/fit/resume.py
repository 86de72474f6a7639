"""The checkpoint from which a training continues."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from importlib.metadata import version

import pyarrow as pa

from textbatch import __version__
from textbatch.data.readers.listing import find_files
from textbatch.data.storage.atomic_file import atomic_file
from textbatch.data.storage.location import Location
from textbatch.errors import InputNotFoundError, OutputError, storage_errors
from textbatch.model.fitting.checkpoint import Checkpoint
from textbatch.training.config.train import TrainConfig, checkpoint_of
from textbatch.training.recipes.presets import Recipe
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import Splits

#: Tells which training the checkpoints of a cross-fitting belong to.
_KEY = "training.key"
_LIBRARIES = ("keras", "tensorflow", "gensim", "numpy")


def open_checkpoint(run: TrainingRun, splits: Splits) -> Checkpoint:
    """Open the checkpoint beside the model, `.<model>.training/`, and read what is there.

    A checkpoint belongs to one training: its rows, settings, seed and versions. From another one
    training starts at the beginning; it stays until the first state of this training replaces it.

    Args:
        run: The training. A message tells its listener whether an old checkpoint is used.
        splits: Its rows.

    Returns:
        The checkpoint.
    """
    config, log = run.config, run.listener.log
    key = _key(config, splits, run.recipe)
    if run.parent is not None:
        key += f" {run.parent.fingerprint}"
    checkpoint = Checkpoint(checkpoint_of(config.model), key=key)
    there = checkpoint.folder.is_dir()
    if checkpoint.find() and checkpoint.state:
        log(f"going on after epoch {len(checkpoint.state.history)} of an interrupted run")
    elif there:
        log(
            "the checkpoint is damaged, or of other rows, settings, seed or versions: "
            "starting from the beginning"
        )
    elif config.resume:
        log("there is no checkpoint to go on from: starting from the beginning")
    return checkpoint


class Checkpoints:
    """The checkpoints of a cross-fitting: one for each fold, one for the network of all rows."""

    def __init__(self, run: TrainingRun, splits: Splits, folds: int) -> None:
        """Look what is beside the model.

        Args:
            run: The training. A message tells its listener whether old checkpoints are used.
            splits: Its rows.
            folds: How many folds there are.
        """
        config, log = run.config, run.listener.log
        self.folder = checkpoint_of(config.model)
        self._key = f"{_key(config, splits, run.recipe)} {folds} folds"
        kept = self.folder / _KEY
        with suppress(OSError):
            if kept.read_text("ascii") == self._key:
                log("going on with an interrupted run")
                return
        if self.folder.is_dir():
            log(
                "the checkpoint is damaged, or of other rows, settings, seed or versions: "
                "starting from the beginning"
            )
        elif config.resume:
            log("there is no checkpoint to go on from: starting from the beginning")

    def begin(self) -> None:
        """Make the folder, without what another training has left there.

        Raises:
            OutputError: The parent of the folder does not exist.
            StorageError: It cannot be written. `AccessError` is one of its kind.
        """
        kept = self.folder / _KEY
        with suppress(OSError):
            if kept.read_text("ascii") == self._key:
                return
        with storage_errors(self.folder, "cannot write", missing=OutputError):
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(exist_ok=True)
            with atomic_file(kept) as file:
                file.buffered.write(self._key.encode("ascii"))

    def of(self, part: str) -> Checkpoint:
        """The checkpoint of a part.

        Args:
            part: Its name, as a folder has it.
        """
        return Checkpoint(self.folder / part, key=f"{self._key} {part}")

    def remove(self) -> None:
        """Delete all of them."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _key(config: TrainConfig, splits: Splits, recipe: Recipe) -> str:
    digest = hashlib.sha256()
    for rows in (splits.training, splits.validation):
        names = ["texts", "labels"]
        digest.update(pa.record_batch([rows.texts, rows.labels], names=names).serialize())
        if rows.weights is not None:
            digest.update(rows.weights.tobytes())
        if rows.shares is not None:
            digest.update(pa.record_batch([rows.shares], names=["shares"]).serialize())
    settings = {name: _content(value) for name, value in config.decisive().items()}
    versions = [__version__, *map(version, _LIBRARIES)]
    digest.update(repr((splits.labels, recipe, settings, versions)).encode())
    return digest.hexdigest()


def _content(setting: object) -> object:
    """Return a setting; files with their versions, because their content decides."""
    if isinstance(setting, tuple):
        return tuple(map(_content, setting))
    if isinstance(setting, Location):
        with suppress(InputNotFoundError):
            found = find_files([setting], "auto", is_known=lambda _: True)
            return os.fspath(setting), [one.state for one in found.files]
    return setting
