"""Functional models: only a chain that answers as its layers say is read."""

from __future__ import annotations

import keras
import pytest

from textbatch.errors import BundleError
from textbatch.model.keras_files.network_file import read_network_file

layers = keras.layers


def embedded(tokens, *, mask=True):
    return layers.Embedding(30, 4, mask_zero=mask)(tokens)


def answers(states):
    return layers.Dense(3, activation="softmax")(states)


def plain(tokens):
    return answers(layers.GRU(3)(embedded(tokens)))


def named(tokens):
    return {"label": plain(tokens)}


def random_after_training(tokens):
    return answers(layers.Dropout(0.5)(layers.GRU(3)(embedded(tokens)), training=True))


def two_outputs(tokens):
    states = layers.GRU(3)(embedded(tokens))
    return [states, answers(states)]


def inner_output(tokens):
    states = layers.GRU(3)(embedded(tokens))
    return [answers(states), states]


def other_mask(tokens):
    states = layers.GRU(3)(embedded(tokens, mask=False), mask=keras.ops.not_equal(tokens, 3))
    return answers(states)


def half(tokens):
    return answers(layers.Bidirectional(layers.GRU(3, dtype="float16"))(embedded(tokens)))


@keras.saving.register_keras_serializable("mine")
class Dense(layers.Dense):
    """A layer of the user's own, named as one of Keras."""


def own_layer(tokens):
    return Dense(3, activation="softmax")(layers.GRU(3)(embedded(tokens)))


def saved(folder, outputs, suffix):
    tokens = keras.Input((12,))
    path = folder / f"network.{suffix}"
    keras.Model(tokens, outputs(tokens)).save(path)
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("outputs", [plain, named])
def test_a_chain_is_read(tmp_path, outputs, suffix):
    found = read_network_file(saved(tmp_path, outputs, suffix))
    assert [one.kind for one in found.layers] == ["InputLayer", "Embedding", "GRU", "Dense"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        (random_after_training, "training=True"),
        (two_outputs, "other outputs"),
        (inner_output, "other outputs"),
        (other_mask, "mask"),
        (half, "float16"),
    ],
)
def test_what_answers_otherwise_is_refused(tmp_path, outputs, told, suffix):
    with pytest.raises(BundleError, match=told):
        read_network_file(saved(tmp_path, outputs, suffix))


def test_layers_of_the_users_own_are_refused(tmp_path):
    with pytest.raises(BundleError, match="code that the file does not hold"):
        read_network_file(saved(tmp_path, own_layer, "keras"))
