from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from textbatch.errors import BundleError
from textbatch.model.network.architecture import Architecture, RecurrentLayer
from textbatch.model.network.keras_network import build_network, read_tensors
from textbatch.training.recipes.presets import RECIPES

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


@pytest.mark.parametrize("preset", RECIPES)
def test_dropout_of_a_preset_stands_in_its_network(preset):
    recipe = RECIPES[preset]
    sizes = recipe.architecture(vocabulary_size=9, num_labels=2, max_sequence_length=5)
    network = build_network(sizes, dropout=recipe.dropout)
    rates = {layer.name: getattr(layer, "rate", None) for layer in network.layers}
    assert rates["dropout"] == recipe.dropout.between == 0.4
    assert rates.get("channel_dropout") == (recipe.dropout.channels or None)
    assert rates.get("pooled_dropout") == (recipe.dropout.pooled or None)
    last = network.get_layer(sizes.stack()[-1].name)
    ways = [last.forward_layer, last.backward_layer] if sizes.bidirectional else [last]
    assert (
        [way.dropout for way in ways]
        == [0.4] * len(ways)
        == [recipe.dropout.last_input] * len(ways)
    )


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


@pytest.mark.parametrize("count", [0, 9])
def test_a_number_of_layers_out_of_range_is_refused(count):
    with pytest.raises(BundleError, match=f"layers has {count} entries"):
        replace(SEED, layers=SEED.layers[:1] * count)


@pytest.mark.parametrize("units", [0, -1, 10**12])
def test_a_layers_width_out_of_range_is_refused(units):
    with pytest.raises(BundleError, match=f"units is {units}, outside 1 to"):
        RecurrentLayer(cell="gru", units=units)


def test_an_unknown_cell_or_pooling_is_refused():
    with pytest.raises(BundleError, match="none of gru, lstm"):
        RecurrentLayer(cell="rnn", units=3)
    with pytest.raises(BundleError, match="none of last, mean"):
        replace(SEED, pooling="max+last")


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_summary_names_what_there_is(bidirectional):
    told = replace(SEED, bidirectional=bidirectional, pooling="last+max").summary()
    ways = "bidirectional " if bidirectional else ""
    assert told == (
        f"27,463 words × 100 → {ways}GRU 150 → {ways}LSTM 200 → last+max → dense 100 → 4 labels; "
        "texts cut at 50 tokens"
    )
