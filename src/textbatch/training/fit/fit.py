"""From labelled rows to a fitted network: vocabulary → word vectors → fit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np
import pyarrow as pa

from textbatch.data.readers.labelled import label_ids_of
from textbatch.errors import DataError
from textbatch.model.fitting.checkpoint import Checkpoint
from textbatch.model.fitting.settings import Epoch
from textbatch.model.network.weights import Weights
from textbatch.report.terminal.epochs import Passes
from textbatch.report.terminal.progress import Progress
from textbatch.text.normalization import split_tokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary
from textbatch.training.augment.sources import Sources
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.embedding import build_lexicon
from textbatch.training.fit.fitted import Learned
from textbatch.training.fit.network import fit_network, fit_telling
from textbatch.training.recipes.presets import Recipe
from textbatch.training.split.dataset import Parts

_SHORTEST, _LONGEST = 16, 256


def learn(
    parts: Parts,
    config: TrainConfig,
    recipe: Recipe,
    *,
    sources: Sources | None = None,
    say: Callable[[str], None] = lambda _: None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
) -> Learned:
    """Vocabulary, word vectors and network from the training part; the validation part stops it.

    Args:
        parts: The rows.
        config: Gives the seed, and the files that vectors come from.
        recipe: How to learn.
        sources: What to augment the training part from.
        say: Called with one line per step.
        on_epoch: Called after each pass; what it raises ends the training.
        checkpoint: Kept up to date, and gone on from where it holds a state.
        progress: Told about the words of the vectors' training and the rows of each pass.

    Raises:
        DataError: No word occurs often enough.
        TextbatchError: Another subclass, where a file of vectors or texts cannot be used.
    """
    texts = parts.training.texts
    if sources:
        label_ids, _ = label_ids_of(parts.training.labels, parts.labels)
        texts = sources.texts_to_learn_from(
            texts, label_ids, parts.labels, min_count=recipe.min_count, seed=config.seed
        )
    tokens = split_tokens(texts)
    tokenizer = _tokenizer(parts.training.texts, tokens[0], recipe)
    lexicon = build_lexicon(
        config, recipe, texts, tokens, tokenizer.vocabulary, say=say, progress=progress
    )
    tokenizer = replace(tokenizer, vocabulary=lexicon.vocabulary)
    architecture = recipe.architecture(
        vocabulary_size=len(tokenizer.vocabulary),
        num_labels=len(parts.labels),
        max_sequence_length=tokenizer.max_sequence_length,
    )
    architecture = replace(architecture, embedding_dim=lexicon.table.shape[1])
    say(
        f"{architecture.vocabulary_size:,} tokens known, "
        f"texts cut at {tokenizer.max_sequence_length} tokens"
    )
    weights, epochs = fit_telling(
        parts,
        lexicon.table,
        tokenizer,
        architecture,
        recipe,
        sources=sources,
        seed=config.seed,
        say=say,
        on_epoch=on_epoch,
        checkpoint=checkpoint,
        progress=progress,
    )
    return Learned(
        tokenizer=tokenizer,
        architecture=architecture,
        vectors=lexicon.table,
        weights=weights,
        epochs=epochs,
        coverage=lexicon.coverage,
        warnings=lexicon.warnings,
    )


def learn_again(
    learned: Learned,
    parts: Parts,
    config: TrainConfig,
    recipe: Recipe,
    *,
    sources: Sources | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Learned:
    """Fit another network with the vocabulary and the word vectors of the first.

    Args:
        learned: The first.
        parts: The rows, pseudo-labelled ones too.
        config: Gives the seed.
        recipe: How to learn.
        sources: What to augment the rows from.
        say: Called with one line per pass.
        progress: Told about the rows of each pass.
    """
    weights, epochs = fit_telling(
        parts,
        learned.vectors,
        learned.tokenizer,
        learned.architecture,
        recipe,
        sources=sources,
        seed=config.seed,
        say=say,
        progress=progress,
    )
    return replace(learned, weights=weights, epochs=epochs)


def refit(
    learned: Learned,
    parts: Parts,
    config: TrainConfig,
    recipe: Recipe,
    *,
    sources: Sources | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Weights:
    """Fit the network anew, to training and validation rows together.

    It begins with the vocabulary and the word vectors of the first time, and takes as many passes
    as were best then: nothing is left to stop it by.

    Args:
        learned: From the training rows alone.
        parts: The rows.
        config: Gives the seed.
        recipe: How to learn.
        sources: What to augment the rows from.
        say: Called with one line per pass.
        progress: Told about the rows of each pass.
    """
    most = learned.best_epoch.number
    rows = parts.training.followed_by(parts.validation)
    # Without its lines: the validation loss says nothing now.
    count = len(parts.taught(rows))
    passes = Passes(rows=count, most=most, progress=progress, say=lambda _: None)

    def tell(epoch: Epoch) -> None:
        passes.ended(epoch)
        say(f"all rows, epoch {epoch.number} of {most}")

    with closing(passes):
        weights, _ = fit_network(
            replace(parts, training=rows),
            learned.vectors,
            learned.tokenizer,
            learned.architecture,
            replace(recipe, fit=replace(recipe.fit, max_epochs=most)),
            sources=sources,
            seed=config.seed,
            on_epoch=tell,
            stop_early=False,
            on_rows=passes.advance,
        )
    return weights


def _tokenizer(texts: pa.Array, tokens: pa.Array, recipe: Recipe) -> Tokenizer:
    """Vocabulary of the tokens to learn from, and length limit, from the training texts alone."""
    vocabulary = Vocabulary.build(
        tokens, min_count=recipe.min_count, max_size=recipe.max_vocabulary
    )
    if not vocabulary.words():
        raise DataError(
            f"no word occurs {recipe.min_count} times in the training texts", "add more rows"
        )
    _, offsets = split_tokens(texts)
    longest = recipe.sequence_length or int(
        np.clip(np.quantile(np.diff(offsets), recipe.length_quantile), _SHORTEST, _LONGEST)
    )
    return Tokenizer(vocabulary=vocabulary, max_sequence_length=longest)
