"""Whether rows are cross-fitted, and in how many folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.errors import ConflictError
from textbatch.model.network.architecture import Architecture
from textbatch.text.normalization import split_tokens
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.fit import length_limit
from textbatch.training.recipes.presets import Recipe
from textbatch.types import Int64Array

#: Folds where they take little time, and else: the fifth one takes a third round on two cores, for
#: answers of networks that have seen 80 % of the rows instead of 75 %.
FOLDS, FOLDS_OF_MANY_ROWS = 5, 4
#: More seconds than this are not little time.
_LITTLE = 180.0
#: A network is fitted in about so many epochs, the last ones to see that the loss rises again.
_EPOCHS = 9
#: Multiplications of the layers in a second, with those of fitting, on one core of two; what
#: everything else takes, in seconds. Measured with the data sets of `benchmarks/accuracy.py`.
_RATE, _REST = 6e9, 45.0
#: Folds are fitted two at a time on the machine that the time is told for.
_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldPlan:
    """How rows are cross-fitted.

    Attributes:
        folds: How many folds; 0 where even two would take too long.
        seconds: About how long the training takes on two cores.
    """

    folds: int
    seconds: float


def plan_of(
    config: TrainConfig, recipe: Recipe, rows: LabelledRows, groups: Int64Array
) -> FoldPlan:
    """Choose the number of folds, if the options leave it open.

    Args:
        config: The options.
        recipe: Gives the sizes of the network.
        rows: All rows.
        groups: Rows with the same number stay together. Shape `(rows,)`.

    Raises:
        ConflictError: An option needs folds, and there is no time for them.
    """
    if not config.cross_fits:
        return FoldPlan(folds=0, seconds=0.0)
    if config.folds:
        return FoldPlan(folds=config.folds, seconds=0.0)
    lengths = np.diff(split_tokens(rows.texts)[1])
    limit = length_limit(lengths, recipe)
    network = recipe.architecture(vocabulary_size=2, num_labels=2, max_sequence_length=limit)
    plan = plan_folds(
        int(np.minimum(lengths, limit).sum()),
        network,
        groups=len(np.unique(groups)),
        budget=config.time_budget,
    )
    if not plan.folds and (config.out_of_fold or config.jobs):
        flag = "--out-of-fold" if config.out_of_fold else "--jobs"
        raise ConflictError(
            f"{flag} needs folds, and two take more than the {config.time_budget:g} seconds of "
            "--time-budget",
            "add --folds 5, or give more time",
        )
    return plan


def plan_folds(tokens: int, network: Architecture, *, groups: int, budget: float) -> FoldPlan:
    """Choose the number of folds: the most, up to 5, that fit into a time.

    It goes by the size of the data and of the network and not by a clock, so that the same rows get
    the same model on any machine.

    Args:
        tokens: Tokens of all rows, cut to the limit on length.
        network: The sizes of the network.
        groups: Different texts: there are no more folds.
        budget: Seconds that training may take on two cores.
    """
    epoch = tokens * _multiplications(network) / _RATE
    for folds in range(min(FOLDS, groups), 1, -1):
        seconds = _seconds(epoch, folds)
        if seconds <= (min(budget, _LITTLE) if folds > FOLDS_OF_MANY_ROWS else budget):
            return FoldPlan(folds=folds, seconds=seconds)
    return FoldPlan(folds=0, seconds=_REST + _EPOCHS * epoch / _AT_ONCE)


def _seconds(epoch: float, folds: int) -> float:
    rounds = -(-folds // _AT_ONCE)
    return _REST + rounds * _EPOCHS * epoch * (folds - 1) / folds + _EPOCHS * epoch / _AT_ONCE


def _multiplications(network: Architecture) -> float:
    """Multiplications for a token, forwards: those of the recurrent layers are nearly all."""
    width, total = network.embedding_dim, 0
    ways = 2 if network.bidirectional else 1
    for layer in network.layers:
        gates = 3 if layer.cell == "gru" else 4
        total += ways * gates * layer.units * (width + layer.units)
        width = ways * layer.units
    return float(total)
