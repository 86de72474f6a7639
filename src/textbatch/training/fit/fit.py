"""From labelled rows to a fitted network: vocabulary → word vectors → fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from textbatch.data.readers.labelled_rows import label_ids_of
from textbatch.errors import DataError
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.memory import network_memory
from textbatch.model.bundle.memory_limit import check_made
from textbatch.model.fitting.checkpoint import Checkpoint
from textbatch.model.network.weights import Weights
from textbatch.report.listener import StepsOnly
from textbatch.text.normalization import split_tokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary
from textbatch.training.fit.embedding import build_embedding
from textbatch.training.fit.fitted import Fitted, NetworkStart
from textbatch.training.fit.network import NetworkFit, fit_network
from textbatch.training.fit.vector_sources import installed_vectors
from textbatch.training.recipes.presets import Recipe
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import Splits
from textbatch.types import Int64Array

_SHORTEST, _LONGEST = 16, 256


def fit_model(run: TrainingRun, splits: Splits, *, checkpoint: Checkpoint | None = None) -> Fitted:
    """Make vocabulary, word vectors and network from the training rows.

    Args:
        run: How to fit.
        splits: The labelled rows. The validation rows stop the training.
        checkpoint: Written after each epoch. If it holds a state, the training continues there.

    Returns:
        The fitted network.

    Raises:
        DataError: No word occurs often enough.
        ConflictError: The model would take more memory than `score` allows.
        TextbatchError: Another subclass, if a file of vectors or texts cannot be used.
    """
    return fit_network(run, splits, prepare(run, splits), checkpoint=checkpoint)


def prepare(run: TrainingRun, splits: Splits) -> NetworkStart:
    """Make vocabulary and word vectors from the training rows, and choose the network's sizes.

    Args:
        run: How to fit, and from which files vectors come.
        splits: The labelled rows.

    Returns:
        What the network begins with.

    Raises:
        DataError: No word occurs often enough.
        TextbatchError: Another subclass, if a file of vectors or texts cannot be used.
    """
    if run.parent is not None:
        return _start_from(run, run.parent.classifier)
    recipe = run.recipe
    label_ids, _ = label_ids_of(splits.training.labels, splits.labels)
    texts = run.sources.texts_to_learn_from(
        splits.training.texts,
        label_ids,
        splits.labels,
        min_count=recipe.min_count,
        seed=run.config.seed,
    )
    tokens = split_tokens(texts)
    tokenizer = _tokenizer(splits.training.texts, tokens[0], recipe)
    embedding = build_embedding(run, splits, texts, tokens, tokenizer.vocabulary)
    tokenizer = replace(tokenizer, vocabulary=embedding.vocabulary)
    architecture = recipe.architecture(
        vocabulary_size=len(tokenizer.vocabulary),
        num_labels=len(splits.labels),
        max_sequence_length=tokenizer.max_sequence_length,
    )
    architecture = replace(architecture, embedding_dim=embedding.table.shape[1])
    check_made(network_memory(architecture))
    run.listener.log(
        f"{architecture.vocabulary_size:,} tokens known, "
        f"texts cut at {tokenizer.max_sequence_length} tokens"
    )
    return NetworkStart(
        tokenizer=tokenizer,
        architecture=architecture,
        vectors=embedding.table,
        coverage=embedding.coverage,
        warnings=embedding.warnings,
        word_vectors=embedding.published,
    )


def _start_from(run: TrainingRun, parent: Classifier) -> NetworkStart:
    tokenizer = parent.tokenizer
    installed, told = installed_vectors(run, tokenizer.vocabulary.words())
    return NetworkStart(
        tokenizer=tokenizer,
        architecture=parent.architecture,
        vectors=parent.weights.tensors["embedding"],
        warnings=told,
        word_vectors=installed,
        weights=parent.weights,
    )


def refit(run: TrainingRun, splits: Splits, fitted: Fitted) -> Weights:
    """Fit the network again, to training and validation rows together.

    No rows are left to stop the training, so it runs as many epochs as were best before.

    Args:
        run: How to fit.
        splits: The labelled rows.
        fitted: The network that was fitted to the training rows only.

    Returns:
        The new weights.
    """
    epochs = fitted.best_epoch
    recipe = replace(run.recipe, fit=replace(run.recipe.fit, max_epochs=epochs))
    # Messages are dropped, because the validation loss means nothing now.
    silent = replace(run, recipe=recipe, listener=StepsOnly(run.listener))
    together = replace(splits, training=splits.training.followed_by(splits.validation))
    fit = NetworkFit(silent, together, fitted.start, stop_early=False)
    for epoch in fit.epochs():
        run.listener.log(f"all rows, epoch {epoch.number} of {epochs}")
    return fit.fitted().classifier.weights


def _tokenizer(texts: pa.Array, tokens: pa.Array, recipe: Recipe) -> Tokenizer:
    """Make vocabulary and length limit from the training texts alone."""
    vocabulary = Vocabulary.build(
        tokens, min_count=recipe.min_count, max_size=recipe.max_vocabulary
    )
    if not vocabulary.words():
        raise DataError(
            f"no word occurs {recipe.min_count} times in the training texts", "add more rows"
        )
    lengths = np.diff(split_tokens(texts)[1])
    return Tokenizer(vocabulary=vocabulary, max_sequence_length=length_limit(lengths, recipe))


def length_limit(lengths: Int64Array, recipe: Recipe) -> int:
    """The limit on the tokens of a text.

    Args:
        lengths: Tokens of each training text. Shape `(rows,)`.
        recipe: Gives the limit, or the share of the texts that are not to be cut.
    """
    return recipe.sequence_length or int(
        np.clip(np.quantile(lengths, recipe.length_quantile), _SHORTEST, _LONGEST)
    )
