"""One network fitted to the labelled rows: their tokens in, weights out, each pass told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from textbatch.data.readers.labelled import LabelledRows, label_ids_of
from textbatch.model.fitting.checkpoint import Checkpoint
from textbatch.model.fitting.settings import Epoch, LabelledTokens
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.keras_backend import import_keras
from textbatch.model.network.weights import Weights
from textbatch.report.terminal.epochs import Passes
from textbatch.report.terminal.progress import Progress
from textbatch.text.tokenizer import Tokenizer
from textbatch.training.augment.sources import Sources
from textbatch.training.recipes.presets import Recipe
from textbatch.training.split.dataset import Parts
from textbatch.types import Float32Array, Int64Array

#: A pseudo-labelled row beside a labelled one, whose label is surer.
_PSEUDO_WEIGHT = 0.5


def fit_telling(
    parts: Parts,
    vectors: Float32Array,
    tokenizer: Tokenizer,
    architecture: Architecture,
    recipe: Recipe,
    *,
    sources: Sources | None,
    seed: int,
    say: Callable[[str], None],
    progress: Progress | None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    checkpoint: Checkpoint | None = None,
) -> tuple[Weights, list[Epoch]]:
    """Fit a network until the validation rows stop it, and tell of each pass.

    Args:
        parts: The rows.
        vectors: Word vectors to begin with. Shape `(vocabulary_size, embedding_dim)`.
        tokenizer: With their vocabulary.
        architecture: Of the network.
        recipe: How to fit.
        sources: What to augment the rows from.
        seed: Of all that is random.
        say: Called with one line per pass.
        progress: Told about the rows of each pass.
        on_epoch: Called after each pass; what it raises ends the training.
        checkpoint: Kept up to date, and gone on from where it holds a state.

    Returns:
        The best weights, and what each pass measured.
    """
    rows = len(parts.taught(parts.training))
    passes = Passes(rows=rows, most=recipe.fit.max_epochs, progress=progress, say=say)

    def tell(epoch: Epoch) -> None:
        passes.ended(epoch)
        on_epoch(epoch)

    with closing(passes):
        return fit_network(
            parts,
            vectors,
            tokenizer,
            architecture,
            recipe,
            sources=sources,
            seed=seed,
            on_epoch=tell,
            checkpoint=checkpoint,
            on_rows=passes.advance,
        )


def fit_network(
    parts: Parts,
    vectors: Float32Array,
    tokenizer: Tokenizer,
    architecture: Architecture,
    recipe: Recipe,
    *,
    sources: Sources | None,
    seed: int,
    on_epoch: Callable[[Epoch], None],
    checkpoint: Checkpoint | None = None,
    stop_early: bool = True,
    on_rows: Callable[[int], None] = lambda _: None,
) -> tuple[Weights, list[Epoch]]:
    """Fit a network to the parts, as `fit_telling` does, without telling.

    Unless it is to `stop_early`, all passes are taken, and the last one's weights are kept.
    `on_rows` is told how many more rows of the pass are on their way.
    """
    # Here, not at the top: TensorFlow takes seconds to import.
    import_keras()
    import keras

    from textbatch.model.fitting import fit as fitting
    from textbatch.model.network import keras_network as network

    keras.utils.set_random_seed(seed)
    model = network.build_network(
        architecture, dropout=recipe.dropout, train_embedding=recipe.train_embedding
    )
    model.get_layer("embedding").set_weights([vectors])
    training = _training_tokens(parts, tokenizer)
    rows = sources.rows(training, parts.labels, tokenizer, vectors, seed=seed) if sources else None
    epochs = fitting.fit(
        model,
        training,
        _labelled_tokens(parts.validation, parts.labels, tokenizer, balance=False),
        settings=recipe.fit,
        seed=seed,
        on_epoch=on_epoch,
        checkpoint=checkpoint,
        renew=rows.of_pass if rows else None,
        stop_early=stop_early,
        on_rows=on_rows,
    )
    return Weights.pack(network.read_tensors(model, architecture), architecture), epochs


def _training_tokens(parts: Parts, tokenizer: Tokenizer) -> LabelledTokens:
    rows = parts.taught(parts.training)
    tokens = _labelled_tokens(rows, parts.labels, tokenizer, balance=True)
    if not parts.pseudo:
        return tokens
    weights = tokens.weights.copy()
    weights[len(parts.training) :] *= _PSEUDO_WEIGHT
    return replace(tokens, weights=weights / weights.mean())


def _labelled_tokens(
    rows: LabelledRows, labels: tuple[str, ...], tokenizer: Tokenizer, *, balance: bool
) -> LabelledTokens:
    label_ids, _ = label_ids_of(rows.labels, labels)
    ones = np.ones(len(rows), np.float32)
    return LabelledTokens(
        tokens=tokenizer.encode(rows.texts),
        label_ids=label_ids,
        weights=balanced_weights(label_ids) if balance else ones,
    )


def balanced_weights(label_ids: Int64Array) -> Float32Array:
    """Weight of each row so that rare labels count more, with mean 1. Shape `(rows,)`.

    The square root of the usual balanced weight: full balance trades too much accuracy and
    calibration for the rarest labels.
    """
    weights = np.sqrt(compute_sample_weight("balanced", label_ids))
    return np.asarray(weights / weights.mean(), np.float32)
