from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.errors import ConflictError
from textbatch.training.config.train import TrainConfig
from textbatch.training.cross_fit.plan import plan_folds, plan_of
from textbatch.training.recipes.presets import RECIPES

NETWORK = RECIPES["default"].architecture(vocabulary_size=2, num_labels=2, max_sequence_length=100)


def rows(count: int, words: int) -> LabelledRows:
    texts = pa.array([" ".join(["word"] * words)] * count, pa.large_string())
    return LabelledRows(texts=texts, labels=pa.array(["a", "b"] * (count // 2)))


def config(**settings) -> TrainConfig:
    return TrainConfig(inputs=(Path("rows.csv"),), **settings)


def plan(count=1_000, words=20, **settings):
    given = rows(count, words)
    return plan_of(config(**settings), RECIPES["default"], given, np.arange(len(given)))


def test_more_rows_get_fewer_folds_and_very_many_none():
    counts = (1_000, 20_000, 60_000, 100_000, 200_000, 1_000_000)
    folds = [plan_folds(50 * n, NETWORK, groups=n, budget=600).folds for n in counts]
    assert folds[0] == 5
    assert folds == sorted(folds, reverse=True)
    assert folds[-1] == 0
    assert 1 not in folds


def test_more_time_allows_more_folds():
    folds = [
        plan_folds(3_000_000, NETWORK, groups=99, budget=60 * n).folds for n in (1, 10, 100, 1000)
    ]
    assert folds == sorted(folds)
    assert (folds[0], folds[-1]) == (0, 4)


def test_the_time_that_is_told_fits_into_the_budget():
    for minutes in (2, 5, 10, 20):
        found = plan_folds(500_000, NETWORK, groups=99, budget=60 * minutes)
        if found.folds:
            assert found.seconds <= 60 * minutes


def test_there_are_no_more_folds_than_different_texts():
    assert plan_folds(100, NETWORK, groups=3, budget=600).folds == 3
    assert plan_folds(100, NETWORK, groups=1, budget=600).folds == 0


def test_folds_that_are_asked_for_are_taken():
    assert plan(folds=9).folds == 9
    assert plan(count=1_000_000, words=2, folds=9, time_budget=60).folds == 9


@pytest.mark.parametrize(
    "settings",
    [
        {"quick": True},
        {"validation": Path("v.csv")},
        {"augment": "auto"},
        {"self_train": True, "unlabelled": ("more.txt",)},
    ],
)
def test_rows_are_split_once_where_that_is_asked_for_or_other_rows_decide(settings):
    assert plan(**settings).folds == 0


def test_an_option_of_folds_is_refused_where_there_is_no_time_for_them():
    with pytest.raises(
        ConflictError, match="--jobs needs folds, and two take more than the 60 sec"
    ):
        plan(count=100_000, words=60, jobs=2, time_budget=60)
    with pytest.raises(ConflictError, match="--out-of-fold needs folds"):
        config(quick=True, out_of_fold=Path("o.parquet"))
