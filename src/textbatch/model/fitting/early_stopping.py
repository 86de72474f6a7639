"""Early stopping: which epoch is the best so far, and whether another one should follow."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from textbatch.model.fitting.settings import Epoch


class EarlyStopping:
    """Keeps the weights of the epoch with the least validation loss.

    Attributes:
        best_epoch: Index of the best epoch, from 0; -1 before the first.
        best_weights: Its weights; None before the first.
        stopped: Whether no epoch is to follow.
    """

    def __init__(self, patience: int) -> None:
        """Begin before the first epoch.

        Args:
            patience: Training stops after this many epochs without a better validation loss.
        """
        self._patience = patience
        self._best_loss = 0.0
        self._without_gain = 0
        self.best_epoch = -1
        self.best_weights: list[NDArray[Any]] | None = None
        self.stopped = False

    def is_best(self, epoch: Epoch) -> bool:
        """Decide about an epoch. If it is the best so far, the caller sets `best_weights`.

        Args:
            epoch: What the epoch measured.
        """
        loss = epoch.validation_loss
        # If the first epoch diverged, it stays the best: no loss is less than NaN.
        if self.best_epoch < 0 or loss < self._best_loss:
            self._best_loss, self.best_epoch, self._without_gain = loss, epoch.number - 1, 0
            return True
        self._without_gain += 1
        self.stopped |= self._without_gain >= self._patience
        return False

    def restore(
        self, history: list[Epoch], best_epoch: int, best_weights: list[NDArray[Any]]
    ) -> None:
        """Continue after the epochs of an interrupted training.

        Args:
            history: What its epochs measured.
            best_epoch: Index of the best of them, from 0; -1 if there is none.
            best_weights: The weights of that epoch.
        """
        if best_epoch < 0:
            return
        self.best_epoch, self.best_weights = best_epoch, best_weights
        self._best_loss = history[best_epoch].validation_loss
        self._without_gain = len(history) - 1 - best_epoch
