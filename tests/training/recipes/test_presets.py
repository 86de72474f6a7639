from __future__ import annotations

from pathlib import Path

import pytest

from textbatch.training.config.train import TrainConfig
from textbatch.training.recipes.presets import RECIPES, recipe_of


def network_of(**settings) -> tuple[str, bool, str]:
    recipe = recipe_of(TrainConfig(inputs=(Path("a.csv"),), **settings))
    layers = ", ".join(f"{layer.cell} {layer.units}" for layer in recipe.layers)
    return layers, recipe.bidirectional, recipe.pooling


@pytest.mark.parametrize("preset", RECIPES)
def test_a_preset_alone_is_as_it_is(preset):
    assert recipe_of(TrainConfig(inputs=(Path("a.csv"),), preset=preset)) == RECIPES[preset]


@pytest.mark.parametrize(
    ("settings", "layers"),
    [
        ({}, "gru 150, lstm 200"),
        ({"cell": "lstm"}, "lstm 150, lstm 200"),
        ({"layers": 1}, "gru 150"),
        ({"layers": 3}, "gru 150, lstm 200, lstm 200"),
        ({"units": (64,)}, "gru 64, lstm 64"),
        ({"units": (64,), "layers": 1}, "gru 64"),
        ({"units": (64, 32, 16)}, "gru 64, lstm 32, lstm 16"),
        ({"units": (64, 32), "layers": 2, "cell": "gru"}, "gru 64, gru 32"),
    ],
)
def test_options_change_the_presets_layers(settings, layers):
    plain = RECIPES["default"]
    assert network_of(**settings) == (layers, plain.bidirectional, plain.pooling)


def test_direction_and_pooling_can_be_chosen_over_the_preset():
    large = RECIPES["large"]
    assert (large.bidirectional, large.pooling) == (True, "mean+max")
    layers, *rest = network_of(preset="large", bidirectional=False, pooling="last")
    assert (layers, rest) == ("lstm 256, lstm 256", [False, "last"])
    assert network_of(bidirectional=True, pooling="max")[1:] == (True, "max")
