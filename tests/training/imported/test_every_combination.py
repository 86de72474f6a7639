"""The network of the question that textbatch began with, saved in every way, answers as it did."""

from __future__ import annotations

import itertools
import pickle

import joblib
import keras
import numpy as np
import pytest
from support.killable_job import FULL

import textbatch
from textbatch.cli.demo.tickets import labelled_tickets

legacy = pytest.importorskip("keras.src.legacy.preprocessing.text")
layers, LENGTH, WORDS = keras.layers, 25, 400
#: Mask, padding, `reset_after` and the kind of file.
ALL = [*itertools.product((True, False), ("pre", "post"), (True, False), ("keras", "h5"))]
#: In short runs two of them, which have each value once.
CHOSEN = ALL if FULL else [(True, "pre", False, "h5"), (False, "post", True, "keras")]
ROWS = 3_000 if FULL else 300


@pytest.fixture(scope="module")
def texts():
    return [one.text or "" for one in labelled_tickets(ROWS, seed=8)]


@pytest.fixture(scope="module")
def tokenizer(texts, tmp_path_factory):
    """A tokenizer, and the paths of its files."""
    made = legacy.Tokenizer(num_words=WORDS)
    made.fit_on_texts(texts)
    folder = tmp_path_factory.mktemp("tokenizer")
    (folder / "plain").write_bytes(pickle.dumps(made))
    joblib.dump(made, folder / "packed", compress=3)
    return made, [folder / "plain", folder / "packed"]


@pytest.mark.parametrize(("mask", "padding", "reset_after", "suffix"), CHOSEN)
@pytest.mark.filterwarnings("ignore:You are saving:UserWarning")
def test_the_label_is_the_same_on_every_row(
    mask, padding, reset_after, suffix, texts, tokenizer, tmp_path
):
    keras.utils.set_random_seed(3)
    network = keras.Sequential(
        [
            keras.Input((LENGTH,)),
            layers.Embedding(
                WORDS, 20, mask_zero=mask, embeddings_initializer=keras.initializers.RandomNormal()
            ),
            layers.GRU(24, return_sequences=True, reset_after=reset_after),
            layers.Dropout(0.4),
            layers.LSTM(16),
            layers.Dense(12, activation="relu"),
            layers.Dense(4, activation="softmax"),
        ]
    )
    random = np.random.default_rng(1)
    for weight in network.weights:
        weight.assign(random.normal(0, 0.5, weight.shape))
    network.save(tmp_path / f"network.{suffix}")
    made, files = tokenizer
    sequences = made.texts_to_sequences(texts)
    padded = keras.utils.pad_sequences(sequences, maxlen=LENGTH, padding=padding)
    theirs = network.predict(padded, batch_size=256, verbose=0)
    textbatch.import_keras(
        tmp_path / f"network.{suffix}",
        files[mask],
        list("dbca"),
        padding=padding,
        model=tmp_path / "model",
    )
    with textbatch.load(tmp_path / "model", threads=1) as model:
        ours = model.predict(texts).probabilities
    answered = np.array([bool(one) for one in sequences])
    assert answered.sum() > 0.8 * ROWS
    np.testing.assert_array_equal(~np.isnan(ours[:, 0]), answered)
    np.testing.assert_allclose(ours[answered], theirs[answered], rtol=0, atol=1e-5)
    best = np.sort(theirs, axis=1)
    clear = answered & (best[:, -1] - best[:, -2] > 2e-5)
    assert (ours.argmax(1) == theirs.argmax(1))[clear].all()
    assert clear.sum() > 0.99 * answered.sum()
    assert np.ptp(theirs, axis=0).max() > 0.1
