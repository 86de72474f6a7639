"""The state of an interrupted training: tensors as safetensors, the rest as JSON."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from textbatch.data.json_text import json_text
from textbatch.data.storage.atomic_file import atomic_file
from textbatch.errors import BundleError, OutputError, storage_errors
from textbatch.failpoints import failpoint
from textbatch.model.bundle.strict_json import dump_json, parse_json
from textbatch.model.fitting.settings import Epoch

_STATE = "checkpoint.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """A training between two epochs.

    Attributes:
        history: What the epochs so far measured.
        best_epoch: Index of the best epoch, from 0; -1 before the first epoch.
        stopped: Whether the training has ended.
        tensors: Arrays by name: the variables of the network with its random seeds, those of the
            optimizer, and the best weights so far.
    """

    history: list[Epoch]
    best_epoch: int
    stopped: bool
    tensors: Mapping[str, NDArray[Any]]

    def group(self, name: str) -> list[NDArray[Any]]:
        """The arrays `name.0`, `name.1` and so on."""
        count = sum(key.startswith(f"{name}.") for key in self.tensors)
        return [self.tensors[f"{name}.{index}"] for index in range(count)]


class Checkpoint:
    """A directory with the last state of one training.

    A state is there whole or not at all: its tensors are on the disk before the JSON file that
    names them replaces the old one.

    Attributes:
        folder: The directory. The first `save` makes it.
        state: The state that was found there and belongs to this training; None if there is none.
    """

    def __init__(self, folder: Path, *, key: str) -> None:
        """Use a directory for a training.

        Args:
            folder: The directory. It may exist or not.
            key: Identifies the training: a hash of everything that decides its result.
        """
        self.folder = folder
        self._key = key
        self.state: TrainingState | None = None

    def find(self) -> bool:
        """Read the state. Return whether there is one that has the same key and is undamaged."""
        with suppress(OSError, BundleError, SafetensorError, KeyError, TypeError, ValueError):
            record = parse_json((self.folder / _STATE).read_bytes(), _STATE)
            if record["key"] == self._key:
                data = (self.folder / record["tensors"]).read_bytes()
                if hashlib.sha256(data).hexdigest() == record["sha256"]:
                    self.state = TrainingState(
                        history=[Epoch(**epoch) for epoch in record["history"]],
                        best_epoch=record["best_epoch"],
                        stopped=record["stopped"],
                        tensors=load(data),
                    )
        return self.state is not None

    def save(self, state: TrainingState) -> None:
        """Replace the old state by a new one.

        Raises:
            OutputError: The parent of the directory does not exist.
            AccessError: The directory is not writable.
            StorageError: Writing failed. The old state is still there.
        """
        name = f"state-{len(state.history):04d}.safetensors"
        data = save({key: np.asarray(value, order="C") for key, value in state.tensors.items()})
        record = {
            "key": self._key,
            "tensors": name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "best_epoch": state.best_epoch,
            "stopped": state.stopped,
            "history": [asdict(epoch) for epoch in state.history],
        }
        with storage_errors(self.folder, "cannot write", missing=OutputError):
            self.folder.mkdir(exist_ok=True)
            _replace(self.folder / name, data)
            _replace(self.folder / _STATE, _dump(record))
            for old in self.folder.glob("state-*"):
                if old.name != name:
                    old.unlink(missing_ok=True)
        failpoint("checkpoint-saved")

    def remove(self) -> None:
        """Delete the directory, if it is there."""
        self.state = None
        shutil.rmtree(self.folder, ignore_errors=True)


def _dump(record: Mapping[str, Any]) -> bytes:
    # If training diverges, an epoch measures NaN, which strict JSON cannot hold.
    try:
        return dump_json(record)
    except ValueError:
        return json_text(record, ascii_only=True).encode()


def _replace(path: Path, data: bytes) -> None:
    with atomic_file(path) as file:
        file.buffered.write(data)
