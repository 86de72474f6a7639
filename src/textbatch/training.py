"""The training path, end to end: read → split → vocabulary → vectors → fit → calibrate → bundle."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pyarrow as pa

from textbatch.augmenting import Sources, read_sources
from textbatch.config import TrainConfig
from textbatch.data.labelled import LabelledRows
from textbatch.errors import DataError
from textbatch.evaluation import label_ids_of
from textbatch.finishing import finish_bundle
from textbatch.model.backend import import_keras
from textbatch.model.bundle import save_bundle
from textbatch.model.contents import Settings
from textbatch.model.learned import Learned
from textbatch.model.manifest import check_replaceable
from textbatch.model.recipes import RECIPES, Recipe
from textbatch.model.settings import LabelledTokens
from textbatch.model.weights import Weights
from textbatch.partition import Parts, read_parts
from textbatch.quality.metrics import balanced_weights
from textbatch.report.card import model_card
from textbatch.report.run import SCHEMA_VERSION, failure_reported, write_json
from textbatch.report.training import TrainReport
from textbatch.text.normalization import split_tokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary
from textbatch.trials import choose

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
    recipe = RECIPES[config.preset]
    parts = read_parts(config)
    say(
        f"{len(parts.training):,} rows to train on, {len(parts.validation):,} for validation, "
        f"{len(parts.test):,} for the reported metrics; {len(parts.labels)} labels"
    )
    sources = read_sources(config, parts.labels)
    chosen = choose(
        config,
        lambda methods, seed: _fit(parts, recipe, sources.only(methods), seed, say),
        say=say,
    )
    network = chosen.network
    bundle, test = finish_bundle(
        network.weights,
        architecture=network.architecture,
        settings=Settings(preset=config.preset, text_column=config.text_column),
        vocabulary=network.tokenizer.vocabulary,
        parts=parts,
        seed=config.seed,
    )
    report = TrainReport(
        model=os.fspath(config.model),
        rows=parts.sizes(),
        epochs=[asdict(epoch) for epoch in network.epochs],
        best_epoch=network.best_epoch.number,
        calibration=bundle.calibration,
        test=test,
        warnings=parts.warnings,
        augmentation=chosen.record,
    )
    bundle = replace(bundle, metrics=report.metrics())
    card = model_card(
        labels=bundle.labels,
        text_column=config.text_column,
        preset=config.preset,
        sizes=asdict(network.architecture),
        metrics=bundle.metrics,
    )
    fingerprint = save_bundle(bundle, config.model, card=card, overwrite=config.overwrite)
    return replace(report, fingerprint=fingerprint)


def _tokenizer(texts: pa.Array, to_learn_from: pa.Array, recipe: Recipe) -> Tokenizer:
    """Vocabulary and length limit, from the training texts and what augmentation adds to them."""
    vocabulary = Vocabulary.build(
        split_tokens(to_learn_from)[0],
        min_count=recipe.min_count,
        max_size=recipe.max_vocabulary,
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


def _fit(
    parts: Parts, recipe: Recipe, sources: Sources, seed: int, say: Callable[[str], None]
) -> Learned:
    """Train word vectors and network."""
    # Here, not at the top: TensorFlow and gensim take seconds to import.
    import_keras()
    import keras

    from textbatch.model import embeddings, fitting, network

    label_ids, _ = label_ids_of(parts.training.labels, parts.labels)
    texts = sources.texts_to_learn_from(
        parts.training.texts, label_ids, parts.labels, min_count=recipe.min_count, seed=seed
    )
    tokenizer = _tokenizer(parts.training.texts, texts, recipe)
    architecture = recipe.architecture(
        vocabulary_size=len(tokenizer.vocabulary),
        num_labels=len(parts.labels),
        max_sequence_length=tokenizer.max_sequence_length,
    )
    say(
        f"{architecture.vocabulary_size:,} tokens known, "
        f"texts cut at {tokenizer.max_sequence_length} tokens"
    )
    tokens, offsets = split_tokens(texts)
    vectors = embeddings.train_vectors(
        tokens.to_pylist(),
        offsets.tolist(),
        tokenizer.vocabulary,
        settings=recipe.vectors,
        seed=seed,
    )
    say(f"word vectors trained on {len(tokens):,} words")
    keras.utils.set_random_seed(seed)
    model = network.build_network(
        architecture, dropout=recipe.dropout, train_embedding=recipe.train_embedding
    )
    model.get_layer("embedding").set_weights([vectors])
    training = _labelled_tokens(parts.training, parts.labels, tokenizer, balance=True)
    rows = sources.rows(training, parts.labels, tokenizer, vectors, seed=seed)
    epochs = fitting.fit(
        model,
        training,
        _labelled_tokens(parts.validation, parts.labels, tokenizer, balance=False),
        settings=recipe.fit,
        seed=seed,
        on_epoch=lambda epoch: say(epoch.line()),
        renew=rows.of_pass if rows else None,
    )
    return Learned(
        tokenizer=tokenizer,
        weights=Weights.pack(network.read_tensors(model, architecture), architecture),
        architecture=architecture,
        epochs=epochs,
    )


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
