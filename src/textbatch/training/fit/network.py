"""One network, fitted to the tokens of the labelled rows, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from textbatch.data.readers.label_shares import certain, dense_shares
from textbatch.data.readers.labelled_rows import LabelledRows, label_ids_of
from textbatch.data.readers.multi_labels import label_matrix
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.fitting.checkpoint import Checkpoint
from textbatch.model.fitting.settings import Epoch, LabelledTokens
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.keras_backend import import_keras
from textbatch.model.network.weights import Weights
from textbatch.report.terminal.epochs import EpochProgress
from textbatch.text.tokenizer import Tokenizer
from textbatch.training.fit.fitted import Fitted, NetworkStart
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import Splits
from textbatch.types import Float32Array, Float64Array, Int64Array

#: Weight of a pseudo-labelled row; a labelled row, whose label is surer, has weight 1.
_PSEUDO_WEIGHT = 0.5


class NetworkFit:
    """A network that is being fitted. `epochs` fits it; the caller may stop after any epoch."""

    def __init__(
        self,
        run: TrainingRun,
        splits: Splits,
        start: NetworkStart,
        *,
        checkpoint: Checkpoint | None = None,
        stop_early: bool = True,
    ) -> None:
        """Build the network. Seeds the random generators of Python, numpy and Keras.

        Args:
            run: How to fit.
            splits: The labelled rows.
            start: What the network begins with.
            checkpoint: Written after each epoch. If it holds a state, the training continues there.
            stop_early: False runs all epochs, and keeps the weights of the last one.
        """
        # Here, not at the top: TensorFlow takes seconds to import.
        import_keras()
        import keras

        from textbatch.model.fitting.fit import Fit
        from textbatch.model.network.keras_network import build_network, write_tensors

        assert isinstance(start.architecture, Architecture), "chains were fitted elsewhere"
        seed, recipe = run.config.seed, run.recipe
        keras.utils.set_random_seed(seed)
        self._network = build_network(
            start.architecture, dropout=recipe.dropout, train_embedding=recipe.train_embedding
        )
        if start.weights is None:
            self._network.get_layer("embedding").set_weights([start.vectors])
        else:
            write_tensors(self._network, start.architecture, start.weights.tensors)
        training = _training_tokens(splits, start.tokenizer)
        augmented = run.sources.rows(
            training, splits.labels, start.tokenizer, start.vectors, seed=seed
        )
        state = checkpoint.state if checkpoint else None
        self._progress = EpochProgress(
            run.listener,
            rows=len(training.tokens),
            max_epochs=recipe.fit.max_epochs,
            done=len(state.history) if state else 0,
        )
        self._run, self._splits, self._start = run, splits, start
        self._checkpoint = checkpoint
        self._fit = Fit(
            self._network,
            augmented.of_epoch if augmented else lambda _: training,
            _labelled_tokens(splits.validation, splits, start.tokenizer, balance=False),
            settings=recipe.fit,
            seed=seed,
            stop_early=stop_early,
            on_rows=self._progress.advance,
            on_validation=self._progress.validating,
        )
        if state:
            self._fit.restore(state)
        elif checkpoint:
            checkpoint.save(self._fit.state())

    def epochs(self) -> Iterator[Epoch]:
        """Fit the network; log each epoch and save the checkpoint after it."""
        with closing(self._progress):
            for epoch in self._fit:
                if self._checkpoint:
                    self._checkpoint.save(self._fit.state())
                self._run.listener.log(self._progress.ended(epoch))
                yield epoch

    def fitted(self) -> Fitted:
        """The network as it is now: after all epochs, with the weights of the best one."""
        from textbatch.model.network.keras_network import read_tensors

        architecture = self._start.architecture
        assert isinstance(architecture, Architecture), "chains were fitted elsewhere"
        return Fitted(
            start=self._start,
            classifier=Classifier(
                architecture=architecture,
                vocabulary=self._start.tokenizer.vocabulary,
                labels=self._splits.labels,
                weights=Weights.pack(read_tensors(self._network, architecture), architecture),
            ),
            epochs=self._fit.history,
            preset=self._run.config.preset,
        )


def fit_network(
    run: TrainingRun,
    splits: Splits,
    start: NetworkStart,
    *,
    checkpoint: Checkpoint | None = None,
) -> Fitted:
    """Fit a network until its validation loss no longer falls.

    Args:
        run: How to fit.
        splits: The labelled rows.
        start: What the network begins with.
        checkpoint: Written after each epoch. If it holds a state, the training continues there.

    Returns:
        The fitted network.
    """
    fit = NetworkFit(run, splits, start, checkpoint=checkpoint)
    for _ in fit.epochs():
        pass
    return fit.fitted()


def _training_tokens(splits: Splits, tokenizer: Tokenizer) -> LabelledTokens:
    rows = splits.with_pseudo(splits.training)
    tokens = _labelled_tokens(rows, splits, tokenizer, balance=True)
    if not splits.pseudo:
        return tokens
    weights = tokens.weights.copy()
    weights[len(splits.training) :] *= _PSEUDO_WEIGHT
    return replace(tokens, weights=weights / weights.mean())


def _labelled_tokens(
    rows: LabelledRows, splits: Splits, tokenizer: Tokenizer, *, balance: bool
) -> LabelledTokens:
    if splits.several:
        return LabelledTokens(
            tokens=tokenizer.encode(rows.texts),
            label_ids=np.zeros(len(rows), np.int64),
            weights=np.ones(len(rows), np.float32),
            targets=label_matrix(rows.labels, splits.labels)[0].astype(np.float32),
            several=True,
        )
    label_ids, _ = label_ids_of(rows.labels, splits.labels)
    targets = None
    if splits.training.shares is not None:
        shares = certain(rows.labels) if rows.shares is None else rows.shares
        targets = dense_shares(shares, splits.labels)
    ones = np.ones(len(rows)) if rows.weights is None else rows.weights
    return LabelledTokens(
        tokens=tokenizer.encode(rows.texts),
        label_ids=label_ids,
        weights=balanced_weights(label_ids, rows.weights) if balance else ones.astype(np.float32),
        targets=targets,
    )


def balanced_weights(label_ids: Int64Array, weights: Float64Array | None = None) -> Float32Array:
    """Return a weight for each row, so that rare labels count more. Their mean is 1.

    It is the square root of the usual balanced weight: full balance costs too much accuracy and
    calibration. Shape `(rows,)`.

    Args:
        label_ids: Label of each row. Shape `(rows,)`.
        weights: How much each row counts by itself; None if all count the same. Shape `(rows,)`.
    """
    if weights is None:
        balanced = np.sqrt(compute_sample_weight("balanced", label_ids))
    else:
        # A label is as rare as its rows weigh little.
        totals = np.bincount(label_ids, weights)
        balanced = weights / np.sqrt(totals[label_ids])
    return np.asarray(balanced / balanced.mean(), np.float32)
