"""Fitting the network: mini-batches of similar length, early stopping, the best weights kept."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from textbatch.model.fitting.checkpoint import Checkpoint
from textbatch.model.fitting.early_stopping import Watch
from textbatch.model.fitting.settings import Epoch, FitSettings, LabelledTokens
from textbatch.text.bucketing import pad
from textbatch.text.vocabulary import OOV_ID, PAD_ID
from textbatch.types import BoolArray, Float32Array, Int32Array, Int64Array

#: Widths of padded mini-batches are multiples of this: JAX compiles once per shape.
_WIDTH_STEP = 16 if keras.backend.backend() == "jax" else 1
#: Rows are sorted by length within windows of this many mini-batches, so that their mix varies.
_WINDOW = 16


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Mini-batches for `Model.fit`: token ids `(batch, width)`, labels and weights `(batch,)`."""

    def __init__(
        self,
        rows: LabelledTokens,
        *,
        batch_size: int,
        word_dropout: float,
        seed: int | None,
        epoch: int = 0,
        renew: Callable[[int], LabelledTokens] | None = None,
        on_rows: Callable[[int], None] = lambda _: None,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self._renew, self._on_rows = renew, on_rows
        self._rows = renew(epoch) if renew else rows
        self._batch_size = batch_size
        self._word_dropout = word_dropout
        self._seed, self._epoch = seed, epoch
        self._batches = self._cut()
        # Of the first pass always: a resumed one must be cut as it would have been.
        first = renew(0) if renew and epoch else self._rows
        self._first_width = int(first.tokens.lengths.max(initial=1)) + _WIDTH_STEP

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[Int32Array, Int64Array, Float32Array]:
        picked = self._batches[index]
        # When they are fetched, some mini-batches before their turn: asking Keras after each one
        # would make it wait for the device.
        self._on_rows(len(picked))
        token_ids = pad(self._rows.tokens, picked).token_ids
        # Keras takes one shape for all mini-batches from the first two, so these must differ.
        token_ids = _pad_to_step(token_ids, at_least=0 if index else self._first_width)
        if self._seed is not None and self._word_dropout:
            # From its place alone, so that a resumed pass drops the same words.
            random = np.random.default_rng((self._seed, self._epoch, 1 + index))
            dropped: BoolArray = random.random(token_ids.shape) < self._word_dropout
            token_ids[dropped & (token_ids != PAD_ID)] = OOV_ID
        return token_ids, self._rows.label_ids[picked], self._rows.weights[picked]

    def on_epoch_end(self) -> None:
        """Cut other mini-batches for the next pass."""
        self._epoch += 1
        if self._renew:
            self._rows = self._renew(self._epoch)
        self._batches = self._cut()

    def _cut(self) -> list[Int64Array]:
        lengths = self._rows.tokens.lengths
        order = np.arange(len(lengths))
        random = None if self._seed is None else np.random.default_rng((self._seed, self._epoch))
        if random:
            order = random.permutation(order)
        window = self._batch_size * _WINDOW
        batches: list[Int64Array] = []
        for start in range(0, len(order), window):
            near = order[start : start + window]
            near = near[np.argsort(lengths[near], kind="stable")]
            batches += np.split(near, range(self._batch_size, len(near), self._batch_size))
        if random:
            batches = [batches[index] for index in random.permutation(len(batches))]
        return batches


def fit(
    network: keras.Model,
    training: LabelledTokens,
    validation: LabelledTokens,
    *,
    settings: FitSettings,
    seed: int,
    on_epoch: Callable[[Epoch], None],
    checkpoint: Checkpoint | None = None,
    renew: Callable[[int], LabelledTokens] | None = None,
    stop_early: bool = True,
    on_rows: Callable[[int], None] = lambda _: None,
) -> list[Epoch]:
    """Fit a network in place, and leave it with its best weights.

    Best are the weights with the least loss on the validation rows.

    Args:
        network: From `build_network`, with its word vectors set.
        training: Rows to learn from.
        validation: Rows that decide when to stop.
        settings: How to fit.
        seed: Of the order of rows and of word dropout; Keras's own is set by the caller.
        on_epoch: Called after each pass.
        checkpoint: Kept up to date after each pass; what it holds is gone on from.
        renew: Gives the rows of a pass by its number from 0, always as many, instead of `training`.
        stop_early: Otherwise all passes are taken, and the last one's weights are kept.
        on_rows: Told, from another thread, how many more rows of the pass are on their way.

    Returns:
        What each pass measured.
    """
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
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        jit_compile=False,  # XLA on the CPU made these loops twice as slow
    )
    watch = Watch(
        patience=settings.patience if stop_early else None,
        averaging=settings.averaging > 0,
        on_epoch=on_epoch,
        checkpoint=checkpoint,
    )
    done = len(watch.history)
    network.fit(
        _Batches(
            training,
            batch_size=settings.batch_size,
            word_dropout=settings.word_dropout,
            seed=seed,
            epoch=done,
            renew=renew,
            on_rows=on_rows,
        ),
        validation_data=_Batches(validation, batch_size=256, word_dropout=0.0, seed=None),
        initial_epoch=done,
        epochs=watch.last_epoch(settings.max_epochs),
        shuffle=False,  # the mini-batches shuffle themselves, from our seed
        verbose=0,
        callbacks=[watch, keras.callbacks.TerminateOnNaN()],
    )
    return watch.history


def _pad_to_step(token_ids: Int32Array, *, at_least: int) -> Int32Array:
    width = max(token_ids.shape[1], at_least)
    width += -width % _WIDTH_STEP
    return np.pad(token_ids, ((0, 0), (0, width - token_ids.shape[1])), constant_values=PAD_ID)
