"""Bundles to measure with: a trained one, or one of the seed network's size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.data import LABELS, SYNTHETIC, data_folder, training_file
from textbatch.model.bundle.bundle import Bundle, save_bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.golden import golden_texts
from textbatch.model.bundle.records import Golden, Int8Check, Settings
from textbatch.model.network.architecture import Architecture, RecurrentLayer
from textbatch.model.network.weights import Weights
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import Calibration
from textbatch.model.quality.profile import TrainingProfile
from textbatch.model.quality.thresholds import HeldOut
from textbatch.text.normalization import split_tokens
from textbatch.text.vocabulary import RESERVED, Vocabulary

_VOCABULARY, _LENGTH = 27_463, 50


def trained(folder: Path) -> Path:
    """Train the default preset on news, or on made-up rows where there are none.

    Without the linear model beside the network, which no peer could run.
    """
    rows = training_file("news" if data_folder() else SYNTHETIC, folder)
    model = folder / "trained"
    command = [sys.executable, "-m", "textbatch", "train", rows, "--model", model]
    subprocess.run(
        [*map(str, command), "--text-column", "text", "--blend", "off"],
        check=True,
        stdout=sys.stderr,
    )
    return model


def seed_sized(folder: Path, source: Path) -> Path:
    """A network of the seed's size with random weights, whose vocabulary covers the texts."""
    vocabulary = _vocabulary(pq.read_table(source)["text"].combine_chunks())
    sizes = architecture(vocabulary_size=len(vocabulary))
    classifier = Classifier(
        architecture=sizes,
        vocabulary=vocabulary,
        labels=LABELS,
        weights=_random_weights(sizes),
    )
    bundle = Bundle(
        classifier=classifier,
        settings=Settings(preset="seed", text_column="text"),
        calibration=Calibration(
            temperature=1.0, rows=1, ece_before=0, ece_after=0, nll_before=0, nll_after=0
        ),
        int8=Int8Check(rows=1, agreement=1.0, max_difference=0.0),
        held_out=HeldOut(confidences=[[] for _ in LABELS], correct=[[] for _ in LABELS]),
        profile=TrainingProfile(
            rows=0,
            tokens_by_quantile={},
            truncated_share=0.0,
            oov_share=0.0,
            labels={},
            confidence_histogram=[],
        ),
        golden=_golden(classifier),
        metrics={},
    )
    model = folder / "seed-sized"
    save_bundle(bundle, model, card="# random weights\n", overwrite=False)
    return model


def architecture(*, vocabulary_size: int) -> Architecture:
    """The seed's sizes; but with `reset_after`, so that every peer can compute the GRU."""
    return Architecture(
        vocabulary_size=vocabulary_size,
        embedding_dim=100,
        layers=(
            RecurrentLayer(cell="gru", units=150),
            RecurrentLayer(cell="lstm", units=200),
        ),
        bidirectional=False,
        pooling="last",
        dense_units=100,
        num_labels=len(LABELS),
        max_sequence_length=_LENGTH,
        reset_after=True,
    )


def _vocabulary(texts: pa.Array) -> Vocabulary:
    found = Vocabulary.build(split_tokens(texts)[0], min_count=1, max_size=_VOCABULARY)
    # Longer than any real word is likely to be, and so not in the texts.
    filler = (f"unusedfillerword{index}" for index in range(_VOCABULARY - len(found)))
    return Vocabulary(tokens=(*RESERVED, *found.words(), *filler))


def _random_weights(sizes: Architecture) -> Weights:
    random = np.random.default_rng(0)
    tensors = {
        # Wide enough that rows get different labels, and no gate is stuck.
        name: random.normal(0, 1.5 / np.sqrt(shape[-1]), shape).astype(np.float32)
        for name, shape in sizes.tensor_shapes().items()
    }
    # Keras's LSTM has one bias in all.
    tensors["lstm.B"][:, tensors["lstm.B"].shape[1] // 2 :] = 0
    return Weights.pack(tensors, sizes)


def _golden(classifier: Classifier) -> Golden:
    texts = golden_texts(classifier.vocabulary, max_sequence_length=_LENGTH, seed=0)
    with open_predictor(classifier, threads=1) as predictor:
        answers = predictor.predict(pa.array(texts, pa.large_string())).probabilities
    return Golden(texts=texts, probabilities=answers.tolist())
