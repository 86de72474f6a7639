"""Fitting the network epoch by epoch: early stopping, the best weights kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from textbatch.errors import BundleError
from textbatch.model.fitting.averaging import WeightMeans
from textbatch.model.fitting.batches import Batches, first_width_of
from textbatch.model.fitting.checkpoint import TrainingState
from textbatch.model.fitting.early_stopping import EarlyStopping
from textbatch.model.fitting.settings import Epoch, FitSettings, LabelledTokens

#: Gives the rows of an epoch by its number from 1, always as many; 0 gives an example of them.
EpochRows = Callable[[int], LabelledTokens]

_VALIDATION_BATCH = 256


class Fit:
    """A network that is being fitted: each step of its iterator runs an epoch.

    Between two epochs the caller may save `state()`, or stop. After the last epoch the network has
    its best weights: those with the least loss on the validation rows.

    With `averaging`, the means of the weights are validated, compared and kept. The network holds
    them from the validation of an epoch until the next epoch begins.

    Attributes:
        history: What each epoch measured, also epochs before an interruption.
    """

    def __init__(
        self,
        network: keras.Model,
        training: EpochRows,
        validation: LabelledTokens,
        *,
        settings: FitSettings,
        seed: int,
        stop_early: bool = True,
        on_rows: Callable[[int], None] | None = None,
        on_validation: Callable[[], None] = lambda: None,
    ) -> None:
        """Compile the network.

        Args:
            network: From `build_network`, with its word vectors set.
            training: Rows to learn from.
            validation: Rows that decide when to stop. They have targets if those to learn from do.
            settings: How to fit.
            seed: Seed of the order of rows and of word dropout. The caller sets Keras's own.
            stop_early: False runs all epochs, and keeps the weights of the last one.
            on_rows: Called, from another thread, with the number of rows that are fed to the
                network since its last call.
            on_validation: Called when the rows of an epoch are fitted, before it is validated.
        """
        loss, accuracy = _loss_and_accuracy(validation)
        network.compile(
            optimizer=keras.optimizers.get(
                {
                    "class_name": settings.optimizer,
                    "config": {
                        "learning_rate": settings.learning_rate,
                        "use_ema": bool(settings.averaging),
                        "ema_momentum": settings.averaging,
                    },
                }
            ),
            loss=loss,
            metrics=[accuracy],
            jit_compile=False,  # XLA on the CPU made these loops twice as slow
        )
        self._network = network
        self._training = training
        self._settings = settings
        self._seed = seed
        self._on_rows = on_rows
        self._on_validation = on_validation
        # Always from the example, so that a resumed training uses the same width.
        self._first_width = first_width_of(training(0))
        self._validation = Batches(
            validation, batch_size=_VALIDATION_BATCH, first_width=first_width_of(validation)
        )
        self._means = WeightMeans() if settings.averaging else None
        self._stopping = EarlyStopping(settings.patience) if stop_early else None
        self._stopped = False
        self.history: list[Epoch] = []

    def __iter__(self) -> Iterator[Epoch]:
        """Yield the remaining epochs; each is fitted when it is asked for."""
        while not self._stopped and len(self.history) < self._settings.max_epochs:
            yield self._epoch(len(self.history) + 1)
        if self._stopping and self._stopping.best_weights is not None:
            self._network.set_weights(self._stopping.best_weights)

    def _epoch(self, number: int) -> Epoch:
        if self._means:
            self._means.take_out(self._network)
        measured = self._network.fit(
            Batches(
                self._training(number),
                batch_size=self._settings.batch_size,
                first_width=self._first_width,
                word_dropout=self._settings.word_dropout,
                seed=(self._seed, number),
                on_rows=self._on_rows,
            ),
            validation_data=self._validation,
            initial_epoch=number - 1,
            epochs=number,
            shuffle=False,  # the mini-batches are shuffled already, from our seed
            verbose=0,
            callbacks=[_Hooks(self._means, self._on_validation)],
        ).history
        epoch = Epoch(
            number=number,
            loss=float(measured["loss"][-1]),
            accuracy=float(measured["accuracy"][-1]),
            validation_loss=float(measured["val_loss"][-1]),
            validation_accuracy=float(measured["val_accuracy"][-1]),
        )
        self.history.append(epoch)
        self._stopped = bool(self._network.stop_training)
        if self._stopping:
            if self._stopping.is_best(epoch):
                self._stopping.best_weights = self._network.get_weights()
            self._stopped |= self._stopping.stopped
        return epoch

    def state(self) -> TrainingState:
        """All that another process needs to continue, and to get the same bits."""
        arrays = {
            f"{name}.{index}": keras.ops.convert_to_numpy(variable)
            for name, variables in self._variables().items()
            for index, variable in enumerate(variables)
        }
        if self._means and self._means.held is not None:
            # The means are saved with the optimizer; for the network its own weights are saved.
            places = {id(v): index for index, v in enumerate(self._network.variables)}
            for variable, value in zip(
                self._network.trainable_variables, self._means.held, strict=True
            ):
                arrays[f"network.{places[id(variable)]}"] = value
        best = self._stopping.best_weights if self._stopping else None
        arrays |= {f"best.{index}": value for index, value in enumerate(best or [])}
        return TrainingState(
            history=list(self.history),
            best_epoch=self._stopping.best_epoch if self._stopping else -1,
            stopped=self._stopped,
            tensors=arrays,
        )

    def restore(self, state: TrainingState) -> None:
        """Continue from a state.

        Args:
            state: The state of a training of the same network on the same rows.

        Raises:
            BundleError: The state belongs to another network.
        """
        for name, variables in self._variables().items():
            arrays = state.group(name)
            if [tuple(v.shape) for v in variables] != [a.shape for a in arrays]:
                raise BundleError(
                    "the checkpoint in .MODEL.training is of another network",
                    "remove its folder",
                )
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
        self.history = list(state.history)
        self._stopped = state.stopped
        if self._stopping:
            self._stopping.restore(self.history, state.best_epoch, state.group("best"))

    def _variables(self) -> dict[str, list[Any]]:
        optimizer = self._network.optimizer
        optimizer.build(self._network.trainable_variables)
        # The random seeds of the dropout layers are among the network's variables.
        return {"network": self._network.variables, "optimizer": optimizer.variables}


def _loss_and_accuracy(rows: LabelledTokens) -> tuple[keras.losses.Loss, keras.metrics.Metric]:
    losses, metrics = keras.losses, keras.metrics
    if rows.several:
        # Of logits: half of the probability is at 0.
        accuracy = metrics.BinaryAccuracy(name="accuracy", threshold=0.0)
        return losses.BinaryCrossentropy(from_logits=True), accuracy
    if rows.targets is None:
        accuracy = metrics.SparseCategoricalAccuracy(name="accuracy")
        return losses.SparseCategoricalCrossentropy(from_logits=True), accuracy
    accuracy = metrics.CategoricalAccuracy(name="accuracy")
    return losses.CategoricalCrossentropy(from_logits=True), accuracy


class _Hooks(keras.callbacks.Callback):  # type: ignore[misc]
    """What is done within an epoch."""

    def __init__(self, means: WeightMeans | None, on_validation: Callable[[], None]) -> None:
        super().__init__()
        self._means, self._on_validation = means, on_validation

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop a training that has diverged. Keras's own callback for this prints to stdout."""
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            self.model.stop_training = True

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Validate the means."""
        self._on_validation()
        if self._means:
            self._means.put_in(self.model)
