"""A chunk whose mini-batches are being computed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textbatch.errors import BundleError
from textbatch.text.bucketing import MiniBatch
from textbatch.text.long_texts import Windows
from textbatch.types import Float32Array, Int64Array, Predictions, has_evidence

#: Rows that are computed at once, by whoever asks.
_FEW_ROWS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkParts:
    """What the network computes.

    Attributes:
        batches: Mini-batches, and their future logits.
        windows: Where long texts are cut into windows, these; the mini-batches have windows then.
            None where each row is one text.
    """

    batches: list[tuple[MiniBatch, Future[Float32Array]]]
    windows: Windows | None = None

    def put_into(self, logits: Float32Array) -> None:
        """Wait for the mini-batches, and note the logits of their texts.

        Args:
            logits: Gets them. Shape `(distinct, labels)`.
        """
        there = logits
        if self.windows:
            there = np.empty((len(self.windows.rows), logits.shape[1]), np.float32)
        for batch, future in self.batches:
            there[batch.rows] = future.result()
        if self.windows:
            # Large logits overflow. Answers are checked where they are final.
            with np.errstate(all="ignore"):
                rows, means = self.windows.means(there)
            logits[rows] = means


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Which model answers which of the distinct texts.

    Attributes:
        network: What the network answers.
        addend: What the linear model adds to the network's logits of each text; None without a
            linear model.
        early: Texts that the linear model answers alone. Shape `(early,)`.
        early_logits: Their logits, which need the classifier's temperature. Shape
            `(early, labels)`.
    """

    network: NetworkParts
    addend: Callable[[], Float32Array] | None = None
    early: Int64Array | None = None
    early_logits: Float32Array | None = None


def submit_of(pool: Executor, rows: int, *, closed: bool) -> Callable[..., Future[Float32Array]]:
    """What begins the calls for some rows. Few take less time than to wait for another thread.

    Args:
        pool: Threads for many rows.
        rows: How many there are.
        closed: Whether the pool begins nothing any more.

    Raises:
        RuntimeError: It is closed.
    """
    if closed:
        raise RuntimeError("this model is closed: load it again")
    return pool.submit if rows > _FEW_ROWS else _done_at_once


def _done_at_once(call: Callable[..., Float32Array], *given: object) -> Future[Float32Array]:
    future: Future[Float32Array] = Future()
    try:
        future.set_result(call(*given))
    except Exception as error:
        future.set_exception(error)
    return future


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPredictions:
    """A chunk whose mini-batches are being computed.

    Attributes:
        status: Codes of `Status` for the distinct texts. Shape `(distinct,)`.
        distinct: For each row the number of its distinct text. Shape `(rows,)`.
        shares: Waits until it is known which model answers which text.
        num_labels: Width of the logits.
        calibrated: Turns logits into probabilities, for each row alike.
        on_early: Called with the number of rows that the linear model answered alone.
        extras: Finds what else is told of the distinct texts, from their logits; None for nothing.
    """

    status: NDArray[np.int8]
    distinct: Int64Array
    shares: Callable[[], Shares]
    num_labels: int
    calibrated: Callable[[Float32Array], Float32Array]
    on_early: Callable[[int], None]
    extras: Callable[[Float32Array], Float32Array] | None = None

    def logits(self) -> tuple[Float32Array, NDArray[np.int8]]:
        """Wait for the mini-batches, and put the rows back into order.

        Returns:
            Logits before calibration, NaN without evidence, shape `(rows, labels)`; and status
            codes, shape `(rows,)`.

        Raises:
            BundleError: The model answered with NaN or infinity.
        """
        return self._of_texts()[self.distinct], self.status[self.distinct]

    def result(self) -> Predictions:
        """Wait for the mini-batches. Return calibrated predictions in the order of the rows."""
        logits, extras = self._of_texts(), None
        if self.extras:
            told = self.extras(logits[:-2])
            nothing = np.full((2, told.shape[1]), np.nan, np.float32)
            extras = np.concatenate([told, nothing])[self.distinct]
        return Predictions(
            probabilities=self.calibrated(logits[self.distinct]),
            status=self.status[self.distinct],
            extras=extras,
        )

    def _of_texts(self) -> Float32Array:
        """Wait for the logits of the distinct texts. Shape `(distinct, labels)`."""
        shares = self.shares()
        # The last two are for null and undecodable texts.
        logits = np.full((len(self.status), self.num_labels), np.nan, np.float32)
        shares.network.put_into(logits)
        if shares.addend:
            with np.errstate(all="ignore"):
                logits[:-2] += shares.addend()
        if shares.early is not None:
            logits[shares.early] = shares.early_logits
            self.on_early(self._rows_of(shares.early))
        if not np.isfinite(logits[has_evidence(self.status)]).all():
            raise BundleError("the model answers with NaN or infinity", "train it again")
        return logits

    def _rows_of(self, texts: Int64Array) -> int:
        """How many rows have one of these distinct texts."""
        return int(np.bincount(self.distinct, minlength=len(self.status))[texts].sum())
