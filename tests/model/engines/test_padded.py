"""Recurrent networks that read padding: the loop over padded texts answers as the plain graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.bundles import random_weights

from textbatch.model.bundle.classifier import Classifier
from textbatch.model.engines import open_engine
from textbatch.model.engines.chain import ChainEngine
from textbatch.model.engines.padded import PaddedEngine
from textbatch.model.network.chain import Chain, ChainLayer
from textbatch.text.bucketing import MiniBatch, mini_batches
from textbatch.text.vocabulary import Vocabulary
from textbatch.types import TokenBatch

WORDS, STEPS, ROWS = 60, 20, 90


def recurrent(kind, units, **changes):
    return ChainLayer(kind=kind, units=units, activation="tanh", **changes)


BODIES = {
    "last": (recurrent("gru", 37, sequence=True, reset_after=True), recurrent("lstm", 21)),
    "reset before": (recurrent("gru", 9),),
    "mean": (recurrent("lstm", 24, sequence=True), ChainLayer(kind="mean")),
}


def classifier_of(body, padding):
    chain = Chain(
        vocabulary_size=WORDS,
        embedding_dim=16,
        mask_zero=False,
        padding=padding,
        layers=(*body, ChainLayer(kind="dense", units=3)),
        num_labels=3,
        max_sequence_length=STEPS,
    )
    return Classifier(
        architecture=chain,
        vocabulary=Vocabulary(tokens=tuple(map(str, range(WORDS)))),
        labels=tuple("abc"),
        weights=random_weights(chain, np.random.default_rng(3), scale=0.5),
    )


def batches(most):
    random = np.random.default_rng(4)
    lengths = random.integers(1, STEPS + 1, ROWS)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    tokens = TokenBatch(
        token_ids=random.integers(1, 6, offsets[-1]).astype(np.int32),
        offsets=offsets,
        truncated=np.zeros(ROWS, bool),
        unknown=None,
    )
    return mini_batches(tokens, np.arange(ROWS), max_padded_tokens=most)


def logits_of(engine, most):
    found = np.empty((ROWS, 3), np.float32)
    for batch in batches(most):
        found[batch.rows] = engine.predict_logits(batch)
    return found


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_it_answers_as_the_plain_graph_whatever_rows_are_together(body, padding):
    classifier = classifier_of(body, padding)
    engine = open_engine(classifier, threads=1)
    assert isinstance(engine, PaddedEngine)
    plain = ChainEngine(classifier, classifier.architecture, threads=1)
    found = logits_of(engine, 4096)
    np.testing.assert_allclose(found, logits_of(plain, 4096), rtol=0, atol=1e-5)
    assert np.ptp(found, axis=0).min() > 0.05
    for most in (1, 50, 333):
        np.testing.assert_array_equal(found, logits_of(engine, most))


@pytest.mark.parametrize(
    "change",
    [
        {"mask_zero": True},
        {"layers": (recurrent("gru", 4, merge="concat"), ChainLayer(kind="dense", units=3))},
        {
            "layers": (
                ChainLayer(kind="conv1d", units=4, kernel=3),
                recurrent("gru", 4),
                ChainLayer(kind="dense", units=3),
            )
        },
    ],
    ids=["mask", "both ways", "convolution"],
)
def test_other_networks_keep_their_graph(change):
    classifier = classifier_of(BODIES["last"], "pre")
    chain = replace(classifier.architecture, **change)
    weights = random_weights(chain, np.random.default_rng(3), scale=0.5)
    engine = open_engine(replace(classifier, architecture=chain, weights=weights), threads=1)
    assert isinstance(engine, ChainEngine)


def test_one_row_of_one_token():
    classifier = classifier_of(BODIES["last"], "pre")
    batch = MiniBatch(
        rows=np.arange(1), token_ids=np.array([[2]], np.int32), lengths=np.array([1], np.int32)
    )
    found = [
        engine.predict_logits(batch)
        for engine in (
            open_engine(classifier, threads=1),
            ChainEngine(classifier, classifier.architecture, threads=1),
        )
    ]
    np.testing.assert_allclose(*found, rtol=0, atol=1e-5)
