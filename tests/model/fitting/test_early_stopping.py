from __future__ import annotations

import pytest

from textbatch.model.fitting.early_stopping import EarlyStopping
from textbatch.model.fitting.settings import Epoch

NAN = float("nan")


def epochs(*losses: float) -> list[Epoch]:
    return [
        Epoch(number=number, loss=0, accuracy=0, validation_loss=loss, validation_accuracy=0)
        for number, loss in enumerate(losses, 1)
    ]


@pytest.mark.parametrize(
    ("losses", "best", "stopped_after"),
    [
        ((3, 2, 1), 2, None),
        ((3, 1, 2, 1), 1, 4),  # as good is no better
        ((3, 1, 2, 0.5, 2), 3, None),
        ((NAN, 1, 1), 0, 3),
        ((2, NAN, NAN), 0, 3),
    ],
)
def test_the_least_loss_is_the_best_and_patience_ends_the_training(losses, best, stopped_after):
    stopping = EarlyStopping(patience=2)
    ended = None
    for epoch in epochs(*losses):
        stopping.is_best(epoch)
        if stopping.stopped and ended is None:
            ended = epoch.number
    assert (stopping.best_epoch, ended) == (best, stopped_after)


def test_restored_it_decides_as_if_it_had_never_been_away():
    history = epochs(3, 1, 2)
    stopping = EarlyStopping(patience=2)
    stopping.restore(history, 1, [])
    assert not stopping.is_best(epochs(0, 0, 0, 1)[3])
    assert stopping.stopped


def test_restored_it_waits_as_long_as_if_it_had_never_been_away():
    stopping = EarlyStopping(patience=3)
    stopping.restore(epochs(3, 1, 2), 1, [])
    later = epochs(0, 0, 0, 1, 1)
    stopping.is_best(later[3])
    assert not stopping.stopped
    stopping.is_best(later[4])
    assert stopping.stopped
