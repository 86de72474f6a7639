"""The presets: which network, and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from textbatch.model.choices import Pooling
from textbatch.model.fitting.settings import FitSettings
from textbatch.model.network.architecture import Architecture, Dropout, RecurrentLayer
from textbatch.model.vectors.types import VectorSettings
from textbatch.training.config.groups import Preset
from textbatch.training.config.train import TrainConfig
from textbatch.training.recipes.file import read_recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Which network is trained and how: everything that does not depend on the data.

    Attributes:
        sequence_length: Limit on the tokens of a text; None takes `length_quantile`.
        length_quantile: Share of the training texts that are not cut.
        max_vocabulary: Limit on the size of the vocabulary, with padding and OOV.
        min_count: Rarer tokens count as OOV.
        train_embedding: Whether fitting changes the word vectors.
        vectors: How the word vectors are trained.
        dropout: What is dropped in training.
        fit: How the network is fitted.
        layers: The recurrent layers, first to last.
        bidirectional: Whether each layer reads the text in both directions.
        pooling: What is taken of the states of the last layer: the last state, their mean, their
            maximum, or several of these side by side.
        dense_units: Width of the hidden dense layer.
        reset_after: The GRU variant: `false` as in Cho et al. (2014, v1), `true` as in cuDNN.
    """

    sequence_length: int | None = None
    length_quantile: float = 0.99
    max_vocabulary: int = 100_000
    min_count: int = 2
    train_embedding: bool = True
    vectors: VectorSettings = field(default_factory=VectorSettings)
    dropout: Dropout = field(default_factory=Dropout)
    fit: FitSettings = field(default_factory=FitSettings)
    layers: tuple[RecurrentLayer, ...] = (
        RecurrentLayer(cell="gru", units=150),
        RecurrentLayer(cell="lstm", units=200),
    )
    bidirectional: bool = False
    pooling: Pooling = "last"
    dense_units: int = 100
    reset_after: bool = True

    def architecture(
        self, *, vocabulary_size: int, num_labels: int, max_sequence_length: int
    ) -> Architecture:
        """The network for given data.

        Args:
            vocabulary_size: Number of tokens, with padding and OOV.
            num_labels: Number of labels.
            max_sequence_length: Limit on the tokens of a text.
        """
        return Architecture(
            vocabulary_size=vocabulary_size,
            embedding_dim=self.vectors.dim,
            layers=self.layers,
            bidirectional=self.bidirectional,
            pooling=self.pooling,
            dense_units=self.dense_units,
            num_labels=num_labels,
            max_sequence_length=max_sequence_length,
            reset_after=self.reset_after,
        )


RECIPES: dict[Preset, Recipe] = {
    # benchmarks/recipes.py compares it with others on four data sets.
    "default": Recipe(
        dropout=Dropout(channels=0.3, between=0.4, last_input=0.4),
        fit=FitSettings(learning_rate=2e-3, averaging=0.99, patience=2),
        pooling="max",
    ),
    # The network of the question that textbatch began with, exactly.
    "seed": Recipe(
        sequence_length=50,
        max_vocabulary=27_463,
        min_count=1,
        train_embedding=False,
        vectors=VectorSettings(window=5),
        dropout=Dropout(between=0.4, last_input=0.4),
        fit=FitSettings(optimizer="rmsprop", word_dropout=0.0),
        reset_after=False,
    ),
    # For tens of thousands of rows. Training and scoring take several times as long.
    "large": Recipe(
        dropout=Dropout(channels=0.3, between=0.4, last_input=0.4, pooled=0.3),
        fit=FitSettings(averaging=0.99, patience=2),
        layers=(RecurrentLayer(cell="lstm", units=256), RecurrentLayer(cell="lstm", units=256)),
        bidirectional=True,
        pooling="mean+max",
        dense_units=256,
    ),
}


def recipe_of(config: TrainConfig) -> Recipe:
    """Make the recipe: the preset, changed by the settings file, changed by the network options.

    If `layers` is not the number of layers of the recipe, its layers are cut or the last one is
    repeated.

    Args:
        config: Names preset and settings file, and has the network options.

    Raises:
        InputNotFoundError: There is no such settings file.
        UsageError: It is malformed.
    """
    recipe = RECIPES[config.preset]
    if config.settings:
        recipe = read_recipe(config.settings, recipe)
    units = config.units or tuple(layer.units for layer in recipe.layers)
    # One width is for all layers. Then there are as many layers as the recipe has.
    several = len(units) if len(units) > 1 else len(recipe.layers)
    count = config.layers or several
    layers = tuple(
        RecurrentLayer(
            cell=config.cell or recipe.layers[min(place, len(recipe.layers) - 1)].cell,
            units=units[min(place, len(units) - 1)],
        )
        for place in range(count)
    )
    both_ways = config.bidirectional
    return replace(
        recipe,
        layers=layers,
        bidirectional=recipe.bidirectional if both_ways is None else both_ways,
        pooling=config.pooling or recipe.pooling,
    )
