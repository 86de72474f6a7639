from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.bundles import random_bundle

from textbatch.model.fitting.settings import Epoch
from textbatch.report.listener import MessagesOnly
from textbatch.report.training import AugmentationRecord
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.augmentation_trial import MARGIN, choose
from textbatch.training.fit.fitted import Fitted, NetworkStart
from textbatch.training.recipes.presets import RECIPES
from textbatch.training.run import TrainingRun

CLASSIFIER = random_bundle().classifier


def fitted(loss: float) -> Fitted:
    """A network that was best, with this validation loss, in its second epoch."""
    losses = (loss + 1, loss, loss + 2)
    start = NetworkStart(
        tokenizer=CLASSIFIER.tokenizer,
        architecture=CLASSIFIER.architecture,
        vectors=CLASSIFIER.weights.tensors["embedding"],
    )
    return Fitted(
        start=start,
        classifier=CLASSIFIER,
        preset="default",
        epochs=[
            Epoch(
                number=number, loss=0.0, accuracy=0.0, validation_loss=loss, validation_accuracy=0.0
            )
            for number, loss in enumerate(losses, 1)
        ],
    )


def chosen(augment: str, losses: dict[tuple[bool, int], float], *, seed: int = 7):
    """What is kept, the fits asked for, and what was said."""
    asked: list[tuple[tuple[str, ...], int]] = []
    networks = {key: fitted(loss) for key, loss in losses.items()}

    def fit(run: TrainingRun) -> Fitted:
        methods, seed = run.sources.methods, run.config.seed
        asked.append((methods, seed))
        return networks[bool(methods), seed]

    said: list[str] = []
    config = TrainConfig(inputs=(Path("a.csv"),), augment=augment, seed=seed)
    run = TrainingRun(config=config, recipe=RECIPES["default"], listener=MessagesOnly(said.append))
    found = choose(run, fit)
    kept = next(key for key, network in networks.items() if network is found.fitted)
    assert found.run.config.seed == seed
    assert bool(found.run.sources.methods) is kept[0]
    return found, kept, asked, said


def test_without_augmentation_one_network_is_fitted_and_nothing_is_told():
    found, kept, asked, said = chosen("none", {(False, 7): 1.0})
    assert (found.record, kept, said) == (None, (False, 7), [])
    assert asked == [((), 7)]


def test_named_methods_are_used_whatever_they_give():
    found, _, asked, _ = chosen("swap,typos", {(True, 7): 9.0})
    assert asked == [(("swap", "typos"), 7)]
    assert found.record == AugmentationRecord(
        asked="swap,typos", methods=["swap", "typos"], kept=True, trials=[]
    )


def test_auto_keeps_what_improves_every_repetition_by_the_margin():
    losses = {(False, 7): 1.0, (True, 7): 0.97, (False, 8): 1.0, (True, 8): 0.98}
    found, kept, asked, said = chosen("auto", losses)
    assert kept == (True, 7)
    assert [seed for _, seed in asked] == [7, 7, 8, 8]
    assert found.record.kept is True
    assert found.record.trials == [
        {"seed": 7, "without": 1.0, "with": 0.97},
        {"seed": 8, "without": 1.0, "with": 0.98},
    ]
    assert said[-1].startswith("augmentation kept: validation loss 1.0000 without, 0.9700 with it")


@pytest.mark.parametrize(
    ("first", "second", "fits"),
    [
        (1.0, None, 2),  # no better: no second repetition is needed
        (float("nan"), None, 2),
        (0.9, 1.01, 4),  # better once
        (1 - MARGIN / 2, 1 - MARGIN / 2, 4),  # too little
    ],
)
def test_auto_leaves_out_what_does_not_clearly_help(first, second, fits):
    losses = {(False, 7): 1.0, (True, 7): first, (False, 8): 1.0, (True, 8): second or np.inf}
    found, kept, asked, said = chosen("auto", losses)
    assert kept == (False, 7)
    assert len(asked) == fits
    assert found.record.kept is False
    assert said[-1].startswith("augmentation left out")


def test_the_largest_seed_has_a_next_one():
    largest = 2**31 - 1
    losses = {(False, largest): 1.0, (True, largest): 0.5, (False, 0): 1.0, (True, 0): 0.5}
    assert chosen("auto", losses, seed=largest)[1] == (True, largest)
