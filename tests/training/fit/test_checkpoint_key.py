"""Which options of `train` a checkpoint belongs to."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.options import odd_value
from support.training import QUICK, labelled_table

from textbatch.options import options_of
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.resume import _key
from textbatch.training.split.dataset import Splits, read_splits

COLUMNS = {"text_column": "body", "label_column": "queue"}
OPTIONS = {one.name: one for one in options_of(TrainConfig)}
#: What other options an option needs, and odd values that fit.
NEEDS = {
    "jobs": {"folds": 2},
    "out_of_fold": {"folds": 2},
    "folds": {"folds": 2},
    "self_train": {"unlabelled": (Path("u"),)},
    "template_file": {"augment": "templates", "template_file": Path("other")},
    "synonyms": {"augment": "synonyms", "synonyms": Path("other")},
    "augment": {"augment": "swap"},
    "max_bad_rows": {"quarantine": Path("q")},
    "old_rows": {"update": Path("m")},
    "label_separator": {"multi_label": True},
}
#: Options that do not take any text.
ODD = {"encoding": "latin-1", "delimiter": ";", "max_bad_rows": "5%"}
#: They say what is read, where it goes, and what follows the fitting.
NOT_DECIDING = {
    "inputs", "model", "text_column", "label_column", "validation", "test", "if_exists", "report",
    "settings", "folds", "jobs", "out_of_fold", "resume", "blend", "require_baseline",
    "report_texts", "refit", "self_train", "quick", "time_budget", "quarantine", "max_bad_rows",
    "installed_vectors", "weight_column", "soft_labels", "confidence_column", "teacher",
    "on_long",
    "update", "old_rows", "multi_label", "label_separator",
}  # fmt: skip


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pq.write_table(labelled_table(90, seed=0), path)
    return path


@pytest.fixture(scope="module")
def splits(rows) -> Splits:
    return read_splits(TrainConfig(inputs=(rows,), **COLUMNS))


@pytest.mark.parametrize("name", OPTIONS)
def test_a_checkpoint_is_of_every_option_that_does_not_say_otherwise(name, rows, splits, tmp_path):
    base = {"inputs": (rows,), **COLUMNS, **NEEDS.get(name, {})}
    odd = {name: ODD.get(name, odd_value(OPTIONS[name], tmp_path))}
    if name == "folds":
        odd, base["folds"] = {"folds": 3}, 2
    if name == "augment":
        odd = {"augment": "typos"}
    same = _key(TrainConfig(**base), splits, QUICK) == _key(
        TrainConfig(**{**base, **odd}), splits, QUICK
    )
    assert same == (name in NOT_DECIDING)


def test_a_file_that_was_written_anew_makes_another_checkpoint(rows, splits, tmp_path):
    words = tmp_path / "words.vec"
    config = TrainConfig(inputs=(rows,), **COLUMNS, vectors=(words,))
    words.write_text("1 1\na 1\n")
    before = _key(config, splits, QUICK)
    words.write_text("2 1\na 1\nb 1\n")
    assert _key(config, splits, QUICK) != before
