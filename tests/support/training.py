"""What the tests of training share: labelled rows, and a network that fits in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.model.fitting.settings import FitSettings
from textbatch.model.network.architecture import Dropout, RecurrentLayer
from textbatch.model.vectors.types import VectorSettings
from textbatch.report.listener import MessagesOnly
from textbatch.report.training import TrainReport
from textbatch.training.config.train import TrainConfig
from textbatch.training.recipes.presets import RECIPES, Recipe
from textbatch.training.recipes.search_space import Range

QUICK = Recipe(
    layers=(RecurrentLayer(cell="gru", units=12), RecurrentLayer(cell="lstm", units=12)),
    dense_units=12,
    vectors=VectorSettings(dim=12, window=3, epochs=8),
    dropout=Dropout(channels=0.1, between=0.1, last_input=0.1),
    fit=FitSettings(learning_rate=0.01, batch_size=16, max_epochs=6),
)
KEYWORDS = {
    "billing": ("refund", "invoice", "charge", "card"),
    "shipping": ("parcel", "courier", "delivery", "late"),
    "technical": ("error", "crash", "screen", "update"),
}
FILLERS = ("the", "a", "my", "is", "of", "please", "help", "with", "today", "again")


def labelled_table(rows: int, *, seed: int) -> pa.Table:
    """Texts that a few keywords give away."""
    random = np.random.default_rng(seed)
    labels = random.choice(list(KEYWORDS), rows).tolist()
    texts = []
    for label in labels:
        words = [*random.choice(KEYWORDS[label], 3), *random.choice(FILLERS, 6)]
        texts.append(" ".join(random.permutation(words)))
    return pa.table({"body": texts, "queue": labels})


@pytest.fixture(scope="module")
def quick_recipe():
    """The default preset is a small network that fits in seconds, in all tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "default", QUICK)
        yield


@pytest.fixture(scope="session")
def labelled_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("labelled") / "labelled.parquet"
    pq.write_table(labelled_table(300, seed=0), path)
    return path


@pytest.fixture(scope="session")
def trained(labelled_file, tmp_path_factory) -> tuple[TrainReport, list[str]]:
    """The plain training of those rows: its report, and its messages. Tests leave it as it is."""
    folder = tmp_path_factory.mktemp("trained")
    messages: list[str] = []
    config = config_of(labelled_file, folder / "model", report=folder / "report.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "default", QUICK)
        # Imported here: TensorFlow is not for every test.
        from textbatch.training.train import train

        return train(config, listener=MessagesOnly(messages.append)), messages


def config_of(labelled_file: Path, model: Path, *, quick: bool = True, **settings) -> TrainConfig:
    """Options for one split, unless a test asks for folds."""
    return TrainConfig(
        inputs=(labelled_file,),
        model=model,
        text_column="body",
        label_column="queue",
        quick=quick,
        **{"installed_vectors": False} | settings,
    )


#: What `tune` searches in the tests.
SPACE = {
    "dropout.between": Range(low=0.0, high=0.5, step=0.1),
    "fit.learning_rate": Range(low=1e-3, high=3e-2, log=True),
}
