"""Models inside a model are read as the chain that they are."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from textbatch.errors import BundleError
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.engines import open_engine
from textbatch.model.keras_files.network_file import read_network_file
from textbatch.model.network.weights import Weights
from textbatch.model.quality.calibration import softmax
from textbatch.text.bucketing import MiniBatch
from textbatch.text.vocabulary import Vocabulary
from textbatch.training.imported.layers import embedding_of, read_layers

layers, WORDS, LENGTH, ROWS = keras.layers, 30, 9, 24

pytestmark = pytest.mark.filterwarnings("ignore:.*does not support masking")


def body(kind):
    """Recurrent layers in a model of their own: with a state at each step, or the last one."""
    if kind == "functional":
        read = keras.Input((LENGTH, 6))
        return keras.Model(read, layers.GRU(5, return_sequences=True)(read))
    return keras.Sequential([layers.GRU(4, return_sequences=True), layers.Dense(5)])


def network(kind):
    keras.utils.set_random_seed(0)
    head = keras.Sequential([layers.Dense(4, activation="relu"), keras.Sequential([out()])])
    made = keras.Sequential(
        [
            keras.Input((LENGTH,)),
            layers.Embedding(WORDS, 6, mask_zero=True, embeddings_initializer="random_normal"),
            body(kind),
            layers.GRU(4),
            head,
        ]
    )
    random = np.random.default_rng(0)
    made.set_weights([random.normal(0, 0.6, one.shape) for one in made.get_weights()])
    return made


def out():
    return layers.Dense(3, activation="softmax")


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_a_model_inside_a_model_answers_as_keras_does(kind, tmp_path):
    made = network(kind)
    made.save(tmp_path / "model.keras")
    file = read_network_file(tmp_path / "model.keras")
    (table,) = embedding_of(file).weights
    read = read_layers(file, table, padding="pre", max_sequence_length=LENGTH)
    random = np.random.default_rng(1)
    lengths = random.integers(1, LENGTH + 1, ROWS).astype(np.int32)
    rows = [random.integers(1, WORDS, length) for length in lengths]
    theirs = np.asarray(made(keras.utils.pad_sequences(rows, LENGTH, padding="pre")))
    token_ids = keras.utils.pad_sequences(rows, LENGTH, padding="post").astype(np.int32)
    classifier = Classifier(
        architecture=read.network,
        vocabulary=Vocabulary(tokens=tuple(map(str, range(WORDS)))),
        labels=("a", "b", "c"),
        weights=Weights.pack(read.tensors, read.network),
    )
    batch = MiniBatch(rows=np.arange(ROWS), token_ids=token_ids, lengths=lengths)
    ours = softmax(open_engine(classifier).predict_logits(batch))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_in_an_h5_file_it_is_refused(tmp_path):
    network("sequential").save(tmp_path / "model.h5")
    with pytest.raises(BundleError, match="of Keras 3 alone"):
        read_network_file(tmp_path / "model.h5")


def test_models_far_inside_each_other_are_refused(tmp_path):
    inner = keras.Sequential([keras.Input((4,)), out()])
    for _ in range(9):
        inner = keras.Sequential([keras.Input((4,)), inner])
    inner.save(tmp_path / "model.keras")
    with pytest.raises(BundleError, match="too many models inside each other"):
        read_network_file(tmp_path / "model.keras")
