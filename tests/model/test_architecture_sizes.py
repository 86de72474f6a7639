from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from textbatch.errors import BundleError
from textbatch.model.architecture import Architecture, RecurrentLayer
from textbatch.model.network import build_network, read_tensors
from textbatch.model.recipes import RECIPES

SEED = RECIPES["seed"].architecture(vocabulary_size=27_463, num_labels=4, max_sequence_length=50)


def test_the_seed_preset_is_the_network_of_the_question_to_the_last_parameter():
    network = build_network(SEED, dropout=RECIPES["seed"].dropout)
    table = {layer.name: layer.count_params() for layer in network.layers if layer.weights}
    assert table == {
        "embedding": 2_746_300,
        "gru": 112_950,
        "lstm": 280_800,
        "dense": 20_100,
        "logits": 404,
    }
    assert network.count_params() == 3_160_554
    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == 414_254


def test_the_seed_preset_freezes_the_word_vectors_and_the_default_moves_them():
    for preset, moves in (("seed", False), ("default", True)):
        recipe = RECIPES[preset]
        assert recipe.train_embedding is moves
        sizes = recipe.architecture(vocabulary_size=9, num_labels=2, max_sequence_length=5)
        network = build_network(sizes, train_embedding=recipe.train_embedding)
        assert network.get_layer("embedding").trainable is moves


@pytest.mark.parametrize("preset", ["default", "seed"])
def test_dropout_of_a_preset_stands_in_its_network(preset):
    recipe = RECIPES[preset]
    sizes = recipe.architecture(vocabulary_size=9, num_labels=2, max_sequence_length=5)
    network = build_network(sizes, dropout=recipe.dropout)
    rates = {layer.name: getattr(layer, "rate", None) for layer in network.layers}
    assert rates["dropout"] == recipe.dropout.between == 0.4
    assert rates.get("channel_dropout") == (recipe.dropout.channels or None)
    assert network.get_layer("lstm").dropout == recipe.dropout.last_input == 0.4


@pytest.mark.parametrize("reset_after", [True, False])
def test_tensor_shapes_are_those_of_the_network(reset_after):
    sizes = Architecture(
        vocabulary_size=11,
        embedding_dim=2,
        layers=(
            RecurrentLayer(cell="gru", units=3),
            RecurrentLayer(cell="lstm", units=4),
        ),
        bidirectional=False,
        pooling="last",
        dense_units=5,
        num_labels=6,
        max_sequence_length=7,
        reset_after=reset_after,
    )
    tensors = read_tensors(build_network(sizes), sizes)
    assert {name: value.shape for name, value in tensors.items()} == sizes.tensor_shapes()
    assert list(tensors) == list(sizes.tensor_shapes())


@pytest.mark.parametrize("size", [0, -1, 10**12])
@pytest.mark.parametrize(
    "name", ["vocabulary_size", "embedding_dim", "dense_units", "num_labels", "max_sequence_length"]
)
def test_a_size_out_of_range_is_refused_by_name(name, size):
    with pytest.raises(BundleError, match=f"{name} is {size}, outside 1 to"):
        replace(SEED, **{name: size})
