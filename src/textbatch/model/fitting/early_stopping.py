"""Early stopping that can be left after any pass and taken up again to the same bits."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import keras

from textbatch.errors import BundleError
from textbatch.model.fitting.averaging import WeightMeans
from textbatch.model.fitting.checkpoint import Checkpoint, TrainingState
from textbatch.model.fitting.settings import Epoch


class Watch(keras.callbacks.EarlyStopping):  # type: ignore[misc]
    """Records each pass, stops when the validation loss gets no better, keeps the best weights.

    With `averaging`, the means of the weights are what is validated, compared and kept: the network
    holds them from the validation of a pass until the next pass begins.

    With a `patience` of None it never stops, and the last weights stay.

    Attributes:
        history: What each pass measured, those before an interruption too.
    """

    def __init__(
        self,
        *,
        patience: int | None,
        averaging: bool,
        on_epoch: Callable[[Epoch], None],
        checkpoint: Checkpoint | None,
    ) -> None:
        super().__init__(
            "val_loss",
            patience=sys.maxsize if patience is None else patience,
            restore_best_weights=patience is not None,
        )
        self._means = WeightMeans() if averaging else None
        self._on_epoch = on_epoch
        self._checkpoint = checkpoint
        self._resumed = checkpoint.state if checkpoint else None
        self.history: list[Epoch] = list(self._resumed.history) if self._resumed else []

    def last_epoch(self, max_epochs: int) -> int:
        """How many passes there are at most: none to follow where the last run had stopped."""
        return len(self.history) if self._resumed and self._resumed.stopped else max_epochs

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start, or take up what the checkpoint holds."""
        super().on_train_begin(logs)
        if self._resumed:
            self._restore(self._resumed)
        else:
            self._save()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Go on with the weights themselves."""
        super().on_epoch_begin(epoch, logs)
        if self._means:
            self._means.take_out(self.model)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Validate the means."""
        super().on_test_begin(logs)
        if self._means:
            self._means.put_in(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record, decide, save."""
        measured = logs or {}
        self.history.append(
            Epoch(
                number=epoch + 1,
                loss=float(measured["loss"]),
                accuracy=float(measured["accuracy"]),
                validation_loss=float(measured["val_loss"]),
                validation_accuracy=float(measured["val_accuracy"]),
            )
        )
        super().on_epoch_end(epoch, logs)
        self._save()
        self._on_epoch(self.history[-1])

    def _variables(self) -> dict[str, list[Any]]:
        optimizer = self.model.optimizer
        optimizer.build(self.model.trainable_variables)
        # The random seeds of the dropout layers are among the network's variables.
        return {"network": self.model.variables, "optimizer": optimizer.variables}

    def _save(self) -> None:
        if not self._checkpoint:
            return
        arrays = {
            f"{name}.{index}": keras.ops.convert_to_numpy(variable)
            for name, variables in self._variables().items()
            for index, variable in enumerate(variables)
        }
        if self._means and self._means.held is not None:
            # The means are the optimizer's: of the network, its weights themselves are saved.
            places = {id(v): index for index, v in enumerate(self.model.variables)}
            for variable, value in zip(
                self.model.trainable_variables, self._means.held, strict=True
            ):
                arrays[f"network.{places[id(variable)]}"] = value
        arrays |= {f"best.{i}": value for i, value in enumerate(self.best_weights or [])}
        self._checkpoint.save(
            TrainingState(
                history=self.history,
                best_epoch=self.best_epoch if self.history else -1,
                stopped=bool(self.model.stop_training),
                tensors=arrays,
            )
        )

    def _restore(self, state: TrainingState) -> None:
        for name, variables in self._variables().items():
            arrays = state.group(name)
            if [tuple(v.shape) for v in variables] != [a.shape for a in arrays]:
                raise BundleError("the checkpoint is of another network", "leave --resume out")
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
        if not self.history:
            return
        self.best_weights = state.group("best")
        self.best_epoch = state.best_epoch
        self.best = self.history[state.best_epoch].validation_loss
        self.wait = len(self.history) - 1 - state.best_epoch
