"""The training path, end to end: read → split → vocabulary → vectors → fit → calibrate → bundle."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pyarrow as pa

from textbatch.batch import Int64Array
from textbatch.config import TrainConfig
from textbatch.data.labelled import LabelledRows
from textbatch.errors import DataError
from textbatch.evaluation import label_ids_of
from textbatch.finishing import finish_bundle
from textbatch.folds import check_out_of_fold, cross_validate, rows_to_fold
from textbatch.model.architecture import Architecture
from textbatch.model.backend import import_keras
from textbatch.model.bundle import save_bundle
from textbatch.model.checkpoint import Checkpoint
from textbatch.model.contents import Settings
from textbatch.model.learned import Learned
from textbatch.model.manifest import check_replaceable
from textbatch.model.recipe_file import read_recipe
from textbatch.model.recipes import RECIPES, Recipe
from textbatch.model.settings import Epoch, LabelledTokens
from textbatch.model.weights import Weights
from textbatch.partition import Parts, read_parts
from textbatch.quality.metrics import balanced_weights
from textbatch.report.card import model_card
from textbatch.report.folds import OutOfFold, summary_line
from textbatch.report.run import SCHEMA_VERSION, failure_reported, write_json
from textbatch.report.training import TrainReport
from textbatch.resuming import open_checkpoint
from textbatch.text.normalization import split_tokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary

_SHORTEST, _LONGEST = 16, 256


def train(config: TrainConfig, *, say: Callable[[str], None] | None = None) -> TrainReport:
    """Train a model and write its bundle.

    Seeds Python's, numpy's and Keras's global random generators.

    Args:
        config: What to train on and how.
        say: Called with one line per step, for a person who waits.

    Raises:
        TextbatchError: A subclass says what went wrong; an older bundle is still in place.
    """
    started = time.perf_counter()
    described = {"schema_version": SCHEMA_VERSION, "model": os.fspath(config.model)}
    with failure_reported(config.report, lambda: described):
        report = replace(
            _train(config, say or (lambda _: None)),
            seconds=round(time.perf_counter() - started, 1),
        )
    if config.report:
        write_json(config.report, report.to_dict())
    return report


def _train(config: TrainConfig, say: Callable[[str], None]) -> TrainReport:
    check_replaceable(config.model, overwrite=config.overwrite)
    recipe = recipe_of(config)
    out_of_fold = check_out_of_fold(config)
    parts = read_parts(config)
    say(
        f"{len(parts.training):,} rows to train on, {len(parts.validation):,} for validation, "
        f"{len(parts.test):,} for the reported metrics; {len(parts.labels)} labels"
    )
    folds = _cross_validate(config, recipe, parts, say)
    checkpoint = open_checkpoint(config, parts, recipe, say)
    learned = learn(parts, config, recipe, say=say, checkpoint=checkpoint)
    bundle, test = finish_bundle(
        learned.weights,
        architecture=learned.architecture,
        settings=Settings(preset=config.preset, text_column=config.text_column),
        vocabulary=learned.tokenizer.vocabulary,
        parts=parts,
        seed=config.seed,
    )
    report = TrainReport(
        model=os.fspath(config.model),
        rows=parts.sizes(),
        epochs=[asdict(epoch) for epoch in learned.epochs],
        best_epoch=learned.best_epoch.number,
        calibration=bundle.calibration,
        test=test,
        warnings=parts.warnings,
        near_duplicates=parts.near_duplicates,
        folds=folds.summary() if folds else None,
    )
    bundle = replace(bundle, metrics=report.metrics())
    card = model_card(
        labels=bundle.labels,
        text_column=config.text_column,
        preset=config.preset,
        sizes=asdict(learned.architecture),
        metrics=bundle.metrics,
    )
    fingerprint = save_bundle(bundle, config.model, card=card, overwrite=config.overwrite)
    if folds and out_of_fold:
        folds.write(out_of_fold, overwrite=config.overwrite)
    checkpoint.remove()
    return replace(report, fingerprint=fingerprint)


def recipe_of(config: TrainConfig) -> Recipe:
    """The preset's recipe, with the settings of `--settings` in place of its own.

    Raises:
        InputNotFoundError: There is no such file.
        UsageError: The file is malformed.
    """
    recipe = RECIPES[config.preset]
    return read_recipe(config.settings, recipe) if config.settings else recipe


def learn(
    parts: Parts,
    config: TrainConfig,
    recipe: Recipe,
    *,
    say: Callable[[str], None] = lambda _: None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    checkpoint: Checkpoint | None = None,
) -> Learned:
    """Vocabulary, word vectors and network from the training part; the validation part stops it.

    Args:
        parts: The rows.
        config: Gives the seed.
        recipe: How to learn.
        say: Called with one line per step.
        on_epoch: Called after each pass; what it raises ends the training.
        checkpoint: Kept up to date, and gone on from where it holds a state.

    Raises:
        DataError: No word occurs often enough.
    """
    texts = split_tokens(parts.training.texts)
    tokenizer = _tokenizer(texts, recipe)
    architecture = recipe.architecture(
        vocabulary_size=len(tokenizer.vocabulary),
        num_labels=len(parts.labels),
        max_sequence_length=tokenizer.max_sequence_length,
    )
    say(
        f"{architecture.vocabulary_size:,} tokens known, "
        f"texts cut at {tokenizer.max_sequence_length} tokens"
    )

    def tell(epoch: Epoch) -> None:
        say(epoch.line())
        on_epoch(epoch)

    weights, epochs = _fit(
        parts, texts, tokenizer, architecture, recipe, config.seed, say, tell, checkpoint
    )
    return Learned(tokenizer=tokenizer, architecture=architecture, weights=weights, epochs=epochs)


def _cross_validate(
    config: TrainConfig, recipe: Recipe, parts: Parts, say: Callable[[str], None]
) -> OutOfFold | None:
    if not config.folds:
        return None
    found = cross_validate(
        rows_to_fold(parts, validation_given=config.validation is not None),
        parts.labels,
        partial(learn, config=config, recipe=recipe),
        folds=config.folds,
        jobs=config.jobs,
        seed=config.seed,
        say=say,
    )
    say(summary_line(found.summary()))
    return found


def _tokenizer(texts: tuple[pa.Array, Int64Array], recipe: Recipe) -> Tokenizer:
    """Vocabulary and length limit, from the training texts alone."""
    tokens, offsets = texts
    vocabulary = Vocabulary.build(
        tokens, min_count=recipe.min_count, max_size=recipe.max_vocabulary
    )
    if not vocabulary.words():
        raise DataError(
            f"no word occurs {recipe.min_count} times in the training texts", "add more rows"
        )
    longest = recipe.sequence_length or int(
        np.clip(np.quantile(np.diff(offsets), recipe.length_quantile), _SHORTEST, _LONGEST)
    )
    return Tokenizer(vocabulary=vocabulary, max_sequence_length=longest)


def _fit(
    parts: Parts,
    texts: tuple[pa.Array, Int64Array],
    tokenizer: Tokenizer,
    architecture: Architecture,
    recipe: Recipe,
    seed: int,
    say: Callable[[str], None],
    on_epoch: Callable[[Epoch], None],
    checkpoint: Checkpoint | None,
) -> tuple[Weights, list[Epoch]]:
    """Train word vectors and network; the best weights, and what each epoch measured."""
    # Here, not at the top: TensorFlow and gensim take seconds to import.
    import_keras()
    import keras

    from textbatch.model import embeddings, fitting, network

    keras.utils.set_random_seed(seed)
    model = network.build_network(
        architecture, dropout=recipe.dropout, train_embedding=recipe.train_embedding
    )
    # A checkpoint has the vectors among its weights.
    if not (checkpoint and checkpoint.state):
        tokens, offsets = texts
        vectors = embeddings.train_vectors(
            tokens.to_pylist(),
            offsets.tolist(),
            tokenizer.vocabulary,
            settings=recipe.vectors,
            seed=seed,
        )
        say(f"word vectors trained on {len(tokens):,} words")
        model.get_layer("embedding").set_weights([vectors])
    epochs = fitting.fit(
        model,
        _labelled_tokens(parts.training, parts.labels, tokenizer, balance=True),
        _labelled_tokens(parts.validation, parts.labels, tokenizer, balance=False),
        settings=recipe.fit,
        seed=seed,
        on_epoch=on_epoch,
        checkpoint=checkpoint,
    )
    return Weights.pack(network.read_tensors(model, architecture), architecture), epochs


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
