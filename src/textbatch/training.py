"""The training path, end to end: read → split → vocabulary → vectors → fit → calibrate → bundle."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from textbatch.batch import Int64Array, Status
from textbatch.config import TrainConfig
from textbatch.data.labelled import LabelledRows
from textbatch.errors import DataError
from textbatch.evaluation import Evaluation, evaluate_rows, label_ids_of
from textbatch.model.backend import import_tensorflow
from textbatch.model.bundle import Bundle, Golden, Settings, save_bundle
from textbatch.model.engines import open_engine
from textbatch.model.golden import golden_texts
from textbatch.model.manifest import check_replaceable
from textbatch.model.predictor import Predictor
from textbatch.model.recipes import RECIPES, Recipe
from textbatch.model.weights import Weights
from textbatch.partition import Parts, label_counts, read_parts
from textbatch.quality.calibration import Calibration, fit_temperature, softmax
from textbatch.quality.profile import training_profile
from textbatch.report.card import model_card
from textbatch.report.run import SCHEMA_VERSION, failure_reported, write_json
from textbatch.text.normalization import split_tokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary

_SHORTEST, _LONGEST = 16, 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """What a training run did.

    Attributes:
        model: Path of the bundle.
        fingerprint: The bundle's.
        rows: Rows by part: `training`, `validation`, `test`.
        epochs: What each pass over the training rows measured.
        best_epoch: The pass whose weights were kept.
        calibration: The temperature and what it did on the validation rows.
        test: Metrics on the test rows, computed by the engine that `score` uses.
        warnings: What the user should look at.
        seconds: Wall time.
        state: `done`; the record of a failed run says `failed`.
    """

    model: str
    fingerprint: str
    rows: dict[str, int]
    epochs: list[dict[str, Any]]
    best_epoch: int
    calibration: Calibration
    test: Evaluation
    warnings: list[str]
    seconds: float = 0.0
    state: str = "done"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}


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
    tokens, offsets = split_tokens(parts.training.texts)
    vocabulary = Vocabulary.build(
        tokens, min_count=recipe.min_count, max_size=recipe.max_vocabulary
    )
    if not vocabulary.words():
        raise DataError(
            f"no word occurs {recipe.min_count} times in the training texts", "add more rows"
        )
    tokenizer = Tokenizer(
        vocabulary=vocabulary, max_sequence_length=_sequence_length(np.diff(offsets), recipe)
    )
    say(f"{len(vocabulary):,} tokens known, texts cut at {tokenizer.max_sequence_length} tokens")
    weights, epochs = _fit(parts, tokenizer, recipe, (tokens, offsets), config.seed, say)
    best = int(np.argmin([epoch["validation_loss"] for epoch in epochs]))
    draft = _draft_bundle(config, parts, recipe, tokenizer, weights)
    bundle, test = _calibrate_and_measure(draft, parts, config.seed)
    rows = {
        "training": len(parts.training),
        "validation": len(parts.validation),
        "test": len(parts.test),
    }
    metrics = {
        "rows": rows,
        "epochs": epochs,
        "best_epoch": best + 1,
        "test": test.to_dict(),
        "warnings": parts.warnings,
    }
    bundle = replace(bundle, metrics=metrics)
    card = model_card(
        labels=bundle.labels,
        text_column=config.text_column,
        preset=config.preset,
        sizes=asdict(bundle.architecture),
        metrics=metrics,
    )
    fingerprint = save_bundle(bundle, config.model, card=card, overwrite=config.overwrite)
    return TrainReport(
        model=os.fspath(config.model),
        fingerprint=fingerprint,
        rows=rows,
        epochs=epochs,
        best_epoch=best + 1,
        calibration=bundle.calibration,
        test=test,
        warnings=parts.warnings,
    )


def _sequence_length(lengths: Int64Array, recipe: Recipe) -> int:
    if recipe.sequence_length:
        return recipe.sequence_length
    return int(np.clip(np.quantile(lengths, recipe.length_quantile), _SHORTEST, _LONGEST))


def _fit(
    parts: Parts,
    tokenizer: Tokenizer,
    recipe: Recipe,
    words: tuple[pa.Array, Int64Array],
    seed: int,
    say: Callable[[str], None],
) -> tuple[Weights, list[dict[str, Any]]]:
    """Train word vectors and network; the best weights, and what each epoch measured."""
    # Here, not at the top: TensorFlow and gensim take seconds to import.
    import_tensorflow()
    import keras

    from textbatch.model import embeddings, fitting, network
    from textbatch.quality.metrics import balanced_weights

    tokens, offsets = words
    vectors = embeddings.train_vectors(
        tokens.to_pylist(),
        offsets.tolist(),
        tokenizer.vocabulary,
        settings=recipe.vectors,
        seed=seed,
    )
    say(f"word vectors trained on {len(tokens):,} words")
    keras.utils.set_random_seed(seed)
    architecture = recipe.architecture(
        vocabulary_size=len(tokenizer.vocabulary),
        num_labels=len(parts.labels),
        max_sequence_length=tokenizer.max_sequence_length,
    )
    model = network.build_network(
        architecture, dropout=recipe.dropout, train_embedding=recipe.train_embedding
    )
    model.get_layer("embedding").set_weights([vectors])

    def labelled(rows: LabelledRows, *, balance: bool) -> fitting.LabelledTokens:
        label_ids, _ = label_ids_of(rows.labels, parts.labels)
        ones = np.ones(len(rows), np.float32)
        return fitting.LabelledTokens(
            tokens=tokenizer.encode(rows.texts),
            label_ids=label_ids,
            weights=balanced_weights(label_ids) if balance else ones,
        )

    def told(epoch: fitting.Epoch) -> None:
        say(
            f"epoch {epoch.number}: loss {epoch.loss:.4f}, validation loss "
            f"{epoch.validation_loss:.4f}, validation accuracy {epoch.validation_accuracy:.4f}"
        )

    epochs = fitting.fit(
        model,
        labelled(parts.training, balance=True),
        labelled(parts.validation, balance=False),
        settings=recipe.fit,
        seed=seed,
        on_epoch=told,
    )
    weights = Weights.pack(network.read_tensors(model, architecture), architecture)
    return weights, [asdict(epoch) for epoch in epochs]


def _draft_bundle(
    config: TrainConfig, parts: Parts, recipe: Recipe, tokenizer: Tokenizer, weights: Weights
) -> Bundle:
    """The bundle before anything is measured with it."""
    return Bundle(
        architecture=recipe.architecture(
            vocabulary_size=len(tokenizer.vocabulary),
            num_labels=len(parts.labels),
            max_sequence_length=tokenizer.max_sequence_length,
        ),
        settings=Settings(preset=config.preset, text_column=config.text_column),
        vocabulary=tokenizer.vocabulary,
        labels=parts.labels,
        weights=weights,
        calibration=Calibration(
            temperature=1.0, rows=0, ece_before=0, ece_after=0, nll_before=0, nll_after=0
        ),
        profile={},
        golden=Golden(texts=[], probabilities=[]),
        metrics={},
    )


def _calibrate_and_measure(draft: Bundle, parts: Parts, seed: int) -> tuple[Bundle, Evaluation]:
    """Fit the temperature, measure on the test rows, and record profile and golden rows.

    All of it with the engine that `score` uses, so that the numbers are those users get.
    """
    golden = golden_texts(
        draft.vocabulary, max_sequence_length=draft.architecture.max_sequence_length, seed=seed
    )
    with Predictor(draft, open_engine(draft, name="onnx", device="cpu", threads=None)) as predictor:
        logits, status = predictor.predict_logits(parts.validation.texts)
        golden_logits, golden_status = predictor.predict_logits(pa.array(golden, pa.large_string()))
        answered = np.flatnonzero(golden_status < Status.NO_KNOWN_TOKENS)
        evidence = status < Status.NO_KNOWN_TOKENS
        label_ids, _ = label_ids_of(parts.validation.labels, parts.labels)
        calibration = fit_temperature(logits[evidence], label_ids[evidence])
        probabilities = softmax(logits[evidence], calibration.temperature)
        answers = softmax(golden_logits[answered], calibration.temperature)
        bundle = replace(
            draft,
            calibration=calibration,
            golden=Golden(texts=[golden[row] for row in answered], probabilities=answers.tolist()),
            profile=training_profile(
                draft.tokenizer.encode(parts.training.texts),
                labels=label_counts(parts.training),
                confidences=probabilities.max(axis=1),
            ),
        )
        test = evaluate_rows(predictor, parts.test, temperature=calibration.temperature)
    return bundle, test
