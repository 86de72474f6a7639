"""How far a training is: the rows of each epoch, and what the epochs measured."""

from __future__ import annotations

import time

from textbatch.model.fitting.settings import Epoch
from textbatch.report.listener import Listener
from textbatch.report.terminal.pace import span


class EpochProgress:
    """Makes a step of each epoch. Early stopping may end the training before the last one."""

    def __init__(self, listener: Listener, *, rows: int, max_epochs: int, done: int = 0) -> None:
        """Begin before the first epoch.

        Args:
            listener: Gets the steps.
            rows: Rows in an epoch.
            max_epochs: Limit on the number of epochs.
            done: Epochs that an interrupted training has done already.
        """
        self._listener = listener
        self._rows = rows
        self._max_epochs = max_epochs
        self._number = done
        self._done = 0
        self._started: float | None = None
        self._in_epoch = False

    def advance(self, rows: int) -> None:
        """More rows of the epoch are being fitted. The first call starts the clock.

        Args:
            rows: How many more.
        """
        if self._started is None:
            self._started = time.monotonic()
        if not self._in_epoch:
            self._in_epoch = True
            self._listener.begin(self._rows, step=f"epoch {self._number + 1}")
        self._listener.advance(rows)

    def validating(self) -> None:
        """All rows of the epoch are fitted, and the validation rows are asked."""
        if self._in_epoch:
            self._listener.inside("validating")

    def ended(self, epoch: Epoch) -> str:
        """An epoch is over.

        Args:
            epoch: What it measured.

        Returns:
            A message: what was measured, the rate, and how long the rest can take at most.
        """
        self.close()
        self._done += 1
        self._number = epoch.number
        seconds = time.monotonic() - (self._started or time.monotonic())
        message = epoch.line()
        if seconds:
            rate = self._done * self._rows / seconds
            left = seconds / self._done * (self._max_epochs - epoch.number)
            message += f"; {rate:,.0f} rows/s" + (f", < {span(left)} left" if left else "")
        return message

    def close(self) -> None:
        """The step that is open, if there is one, is over."""
        if self._in_epoch:
            self._listener.end()
        self._in_epoch = False
