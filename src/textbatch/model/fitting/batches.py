"""Mini-batches of rows of similar length, for Keras."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from textbatch.model.fitting.settings import LabelledTokens
from textbatch.text.bucketing import pad
from textbatch.text.vocabulary import OOV_ID, PAD_ID
from textbatch.types import BoolArray, Float32Array, Int32Array, Int64Array

#: Widths of padded mini-batches are multiples of this: JAX compiles once per shape.
_WIDTH_STEP = 16 if keras.backend.backend() == "jax" else 1
#: Rows are sorted by length within windows of this many mini-batches, so that their mix varies.
_WINDOW = 16


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The mini-batches of one epoch: token ids `(batch, width)`, labels and weights `(batch,)`.

    In place of labels there are targets `(batch, labels)`, where the rows have some.
    """

    def __init__(
        self,
        rows: LabelledTokens,
        *,
        batch_size: int,
        first_width: int,
        word_dropout: float = 0.0,
        seed: tuple[int, int] | None = None,
        on_rows: Callable[[int], None] | None = None,
    ) -> None:
        """Cut the rows into mini-batches.

        Args:
            rows: The rows of the epoch.
            batch_size: Rows in a mini-batch.
            first_width: Width of the first mini-batch, in tokens; see `first_width_of`.
            word_dropout: Share of the tokens that are replaced by OOV.
            seed: The seed and the number of the epoch, for the order of rows and for word dropout;
                None keeps the order and drops nothing.
            on_rows: Called, from another thread, with the number of rows that Keras has fetched
                since its last call.
        """
        super().__init__(workers=1, use_multiprocessing=False)
        self._rows = rows
        self._first_width = first_width
        self._word_dropout = word_dropout
        self._seed = seed
        self._on_rows = on_rows
        self._fetched = 0
        self._batches = _cut(rows.tokens.lengths, batch_size, seed)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[Int32Array, Int64Array | Float32Array, Float32Array]:
        picked = self._batches[index]
        # Rows are counted when Keras fetches them, some mini-batches early: a count after each
        # mini-batch would make Keras wait for the device. The first two are fetched twice.
        if self._on_rows and index >= self._fetched:
            self._fetched = index + 1
            self._on_rows(len(picked))
        token_ids = pad(self._rows.tokens, picked).token_ids
        # Keras takes one shape for all mini-batches from the first two, so these must differ.
        token_ids = _pad_to_step(token_ids, at_least=0 if index else self._first_width)
        if self._seed is not None and self._word_dropout:
            # The seed depends on the place only, so that a resumed training drops the same words.
            random = np.random.default_rng((*self._seed, 1 + index))
            dropped: BoolArray = random.random(token_ids.shape) < self._word_dropout
            token_ids[dropped & (token_ids != PAD_ID)] = OOV_ID
        rows = self._rows
        true = rows.label_ids if rows.targets is None else rows.targets
        return token_ids, true[picked], rows.weights[picked]


def first_width_of(rows: LabelledTokens) -> int:
    """Width of the first mini-batch of each epoch: one step wider than the longest row.

    Args:
        rows: An example of the rows of an epoch.
    """
    return int(rows.tokens.lengths.max(initial=1)) + _WIDTH_STEP


def _cut(lengths: Int64Array, batch_size: int, seed: tuple[int, int] | None) -> list[Int64Array]:
    """Rows of each mini-batch."""
    order = np.arange(len(lengths))
    random = None if seed is None else np.random.default_rng(seed)
    if random:
        order = random.permutation(order)
    window = batch_size * _WINDOW
    batches: list[Int64Array] = []
    for start in range(0, len(order), window):
        near = order[start : start + window]
        near = near[np.argsort(lengths[near], kind="stable")]
        batches += np.split(near, range(batch_size, len(near), batch_size))
    if random:
        batches = [batches[index] for index in random.permutation(len(batches))]
    return batches


def _pad_to_step(token_ids: Int32Array, *, at_least: int) -> Int32Array:
    width = max(token_ids.shape[1], at_least)
    width += -width % _WIDTH_STEP
    return np.pad(token_ids, ((0, 0), (0, width - token_ids.shape[1])), constant_values=PAD_ID)
