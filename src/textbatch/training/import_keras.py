"""The path of `from_keras`: a network that was made elsewhere becomes a bundle."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from textbatch.errors import BundleError, ConflictError, DataError, UsageError
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.directory import check_replaceable
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.keras_backend import import_keras
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import softmax
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.listener import SILENT, Listener
from textbatch.report.training import TrainReport
from textbatch.text.bucketing import pad
from textbatch.text.normalization import normalize
from textbatch.text.vocabulary import PAD_ID, RESERVED, Vocabulary
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.fitted import Fitted, NetworkStart
from textbatch.training.package.assemble import measure_classifier
from textbatch.training.package.save import report_of, save
from textbatch.training.split.dataset import read_splits
from textbatch.types import has_evidence

if TYPE_CHECKING:
    import keras

#: `Settings.preset` of a network that no preset made.
PRESET = "keras"
#: How far the bundle's probabilities may be from the network's; rounding alone differs by less.
_TOLERANCE = 1e-4
#: How many texts are compared: enough to find a wrong network, and Keras is slow with more.
_COMPARED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasNetwork:
    """A network that was fitted elsewhere, and what is needed to use it.

    Attributes:
        network: The Keras network, as `keras_import.read_network` takes it.
        vocabulary: Its tokens in the order of their ids. The first two stand for padding and for
            unknown tokens.
        labels: The labels of its outputs, in order.
        max_sequence_length: Longer texts keep their first tokens.
    """

    network: keras.Model
    vocabulary: Sequence[str]
    labels: Sequence[str]
    max_sequence_length: int


def adopt(source: KerasNetwork, config: TrainConfig, *, listener: Listener = SILENT) -> TrainReport:
    """Make a bundle from a Keras network.

    Args:
        source: The network.
        config: Names the labelled rows and the bundle. Validation and test rows must have their
            own files, because a network is too sure of rows that it was fitted to.
        listener: Gets messages.

    Raises:
        UsageError: Vocabulary, labels or network cannot be used.
        BundleError: The bundle predicts other probabilities than the network.
        TextbatchError: As in `training.train`.
    """
    if not (config.validation and config.test):
        raise ConflictError(
            "validation and test rows are not named",
            "name files of rows that the network was not fitted to",
        )
    started = time.perf_counter()
    with job_reported(config, lambda: {"model": os.fspath(config.model)}):
        report = _adopt(source, config, listener, started)
    report = replace(report, seconds=round(time.perf_counter() - started, 1))
    if config.report:
        with only_warned(f"the report {config.report}", listener.log):
            write_json(config.report, report.to_dict())
    return report


def _adopt(
    source: KerasNetwork, config: TrainConfig, listener: Listener, started: float
) -> TrainReport:
    check_replaceable(config.model, overwrite=config.if_exists == "replace")
    words = Vocabulary(tokens=(*RESERVED, *source.vocabulary[len(RESERVED) :]))
    warnings = _check_vocabulary(words)
    splits = read_splits(config)
    outputs = _outputs_of(splits.labels, list(source.labels))
    classifier = _classifier_of(source, words, outputs, splits.labels)
    texts = splits.test.texts.slice(0, _COMPARED)
    worst = _largest_difference(source.network, classifier, texts, outputs)
    if not worst <= _TOLERANCE:
        raise BundleError(
            f"the bundle's probabilities are off from the network's by up to {worst:.2g}",
            "build the network as a plain chain of layers",
        )
    listener.log(f"the bundle's probabilities are within {worst:.1g} of the network's")
    architecture = classifier.architecture
    assert isinstance(architecture, Architecture), "Keras networks of this path are ones"
    start = NetworkStart(
        tokenizer=classifier.tokenizer,
        architecture=architecture,
        vectors=classifier.weights.tensors["embedding"],
        warnings=warnings,
    )
    fitted = Fitted(start=start, classifier=classifier, epochs=[], preset=PRESET)
    measured = measure_classifier(classifier, splits, config)
    report = report_of(config, splits, fitted, measured)
    report = replace(report, seconds=time.perf_counter() - started)
    return replace(report, fingerprint=save(config, splits, fitted, measured, report))


def _classifier_of(
    source: KerasNetwork, words: Vocabulary, outputs: list[int], labels: tuple[str, ...]
) -> Classifier:
    import_keras()
    from textbatch.model.network.keras_import import read_network

    read = read_network(
        source.network,
        vocabulary_size=len(words),
        outputs=outputs,
        max_sequence_length=source.max_sequence_length,
    )
    return Classifier(
        architecture=read.architecture, vocabulary=words, labels=labels, weights=read.weights
    )


def _outputs_of(labels: tuple[str, ...], named: list[str]) -> list[int]:
    """Return the number of the network's output for each label."""
    if sorted(named) != list(labels):
        raise UsageError(
            f"{len(named)} labels are named, and the training rows have {len(labels)} that are "
            "not all the same",
            "name each output's label as the label column has it, each once",
        )
    return [named.index(label) for label in labels]


def _check_vocabulary(vocabulary: Vocabulary) -> list[str]:
    """Check the tokens; return warnings about tokens that no text can contain.

    Raises:
        UsageError: There are no tokens, one comes twice, or the bundle cannot hold it.
    """
    words = vocabulary.words()
    unfit = (not word or "\n" in word for word in words)
    if not words or len({*vocabulary.tokens}) < len(vocabulary.tokens) or any(unfit):
        raise UsageError(
            "the vocabulary is empty, or has a token twice or one that is empty or of two lines",
            "give every id's token in order, first padding's and the unknown token's",
        )
    lost = sum(map(str.__ne__, words, normalize(words)))
    if not lost:
        return []
    lost_share = f"{lost:,} of {len(words):,} tokens"
    return [f"{lost_share} can come from no text: textbatch.normalize splits texts otherwise"]


def _largest_difference(
    network: keras.Model, classifier: Classifier, texts: pa.Array, outputs: Sequence[int]
) -> float:
    from textbatch.model.network.keras_import import predict

    with open_predictor(classifier) as predictor:
        logits, status = predictor.predict_logits(texts)
    answered = np.flatnonzero(has_evidence(status))
    if not len(answered):
        raise DataError(
            "no test row has a token of the vocabulary", "check the vocabulary and text_column"
        )
    tokens = classifier.tokenizer.encode(texts.take(pa.array(answered)))
    padded = pad(tokens, np.arange(len(tokens))).token_ids
    limit = classifier.architecture.max_sequence_length
    padded = np.pad(padded, ((0, 0), (0, limit - padded.shape[1])), constant_values=PAD_ID)
    theirs = predict(network, padded, outputs)
    return float(np.abs(softmax(logits[answered], 1.0) - theirs).max(initial=0.0))
