"""The training path, end to end: read → split → vocabulary → vectors → fit → calibrate → bundle."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pyarrow as pa

from textbatch.batch import Float32Array, Int64Array
from textbatch.config import TrainConfig
from textbatch.data.labelled import LabelledRows
from textbatch.errors import DataError
from textbatch.evaluation import label_ids_of
from textbatch.finishing import finish_bundle
from textbatch.lexicon import build_lexicon
from textbatch.model.architecture import Architecture
from textbatch.model.backend import import_keras
from textbatch.model.bundle import save_bundle
from textbatch.model.contents import Settings
from textbatch.model.manifest import check_replaceable
from textbatch.model.recipes import Recipe, recipe_of
from textbatch.model.settings import Epoch, LabelledTokens
from textbatch.model.weights import Weights
from textbatch.partition import Parts, read_parts
from textbatch.picturing import training_page
from textbatch.quality.metrics import balanced_weights
from textbatch.report.card import model_card
from textbatch.report.comparison import check_baselines
from textbatch.report.run import SCHEMA_VERSION, failure_reported, write_json
from textbatch.report.training import TrainReport
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
            _train(config, say or (lambda _: None), started),
            seconds=round(time.perf_counter() - started, 1),
        )
    if config.report:
        write_json(config.report, report.to_dict())
    return report


def _train(config: TrainConfig, say: Callable[[str], None], started: float) -> TrainReport:
    check_replaceable(config.model, overwrite=config.overwrite)
    recipe = recipe_of(config)
    parts = read_parts(config)
    say(
        f"{len(parts.training):,} rows to train on, {len(parts.validation):,} for validation, "
        f"{len(parts.test):,} for the reported metrics; {len(parts.labels)} labels"
    )
    texts = split_tokens(parts.training.texts)
    tokenizer = _tokenizer(texts, recipe)
    lexicon = build_lexicon(
        config, recipe, parts.training.texts, texts, tokenizer.vocabulary, say=say
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
    weights, epochs = _fit(parts, lexicon.table, tokenizer, architecture, recipe, config.seed, say)
    finished = finish_bundle(
        weights,
        architecture=architecture,
        settings=Settings(preset=config.preset, text_column=config.text_column),
        vocabulary=tokenizer.vocabulary,
        parts=parts,
        blend=config.blend == "auto",
        seed=config.seed,
    )
    bundle, test = finished.bundle, finished.test
    warning = check_baselines(
        test.metrics.accuracy, finished.contenders, required=config.require_baseline
    )
    report = TrainReport(
        model=os.fspath(config.model),
        rows=parts.sizes(),
        epochs=[asdict(epoch) for epoch in epochs],
        best_epoch=min(epochs, key=lambda epoch: epoch.validation_loss).number,
        calibration=bundle.calibration,
        test=test,
        blend_weight=bundle.blend.weight if bundle.blend else 0.0,
        contenders=finished.contenders,
        vectors=lexicon.coverage,
        warnings=[*parts.warnings, *lexicon.warnings, *([warning] if warning else [])],
    )
    bundle = replace(bundle, metrics=report.metrics())
    card = model_card(
        labels=bundle.labels,
        text_column=config.text_column,
        preset=config.preset,
        network=architecture.summary(),
        metrics=bundle.metrics,
    )
    page = training_page(
        bundle,
        config=config,
        report=replace(report, seconds=time.perf_counter() - started),
        epochs=epochs,
        answers=finished.answers,
        test=parts.test,
        lengths=np.diff(texts[1]),
    )
    fingerprint = save_bundle(
        bundle, config.model, card=card, overwrite=config.overwrite, page=page
    )
    return replace(report, fingerprint=fingerprint)


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
    vectors: Float32Array,
    tokenizer: Tokenizer,
    architecture: Architecture,
    recipe: Recipe,
    seed: int,
    say: Callable[[str], None],
) -> tuple[Weights, list[Epoch]]:
    """Train the network; the best weights, and what each epoch measured."""
    # Here, not at the top: TensorFlow takes seconds to import.
    import_keras()
    import keras

    from textbatch.model import fitting, network

    keras.utils.set_random_seed(seed)
    model = network.build_network(
        architecture, dropout=recipe.dropout, train_embedding=recipe.train_embedding
    )
    model.get_layer("embedding").set_weights([vectors])
    epochs = fitting.fit(
        model,
        _labelled_tokens(parts.training, parts.labels, tokenizer, balance=True),
        _labelled_tokens(parts.validation, parts.labels, tokenizer, balance=False),
        settings=recipe.fit,
        seed=seed,
        on_epoch=lambda epoch: say(epoch.line()),
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
