"""`train --multi-label`, from rows to a bundle that answers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.training import FILLERS, KEYWORDS, config_of

from textbatch.errors import ConflictError, DataError
from textbatch.options import options_of
from textbatch.report.listener import SILENT
from textbatch.training.config.multi import ALLOWED
from textbatch.training.config.train import TrainConfig
from textbatch.training.split.multi_label import read_multi_label_splits


def several_file(path, rows=300):
    random = np.random.default_rng(0)
    texts, lists = [], []
    for _ in range(rows):
        labels = [label for label in KEYWORDS if random.random() < 0.4]
        words = [word for label in labels for word in random.choice(KEYWORDS[label], 2)]
        texts.append(" ".join(random.permutation([*words, *random.choice(FILLERS, 5)])))
        lists.append(labels)
    pq.write_table(pa.table({"body": texts, "queue": pa.array(lists, pa.list_(pa.string()))}), path)
    return path


@pytest.mark.usefixtures("quick_recipe")
def test_a_model_learns_any_number_of_labels(tmp_path):
    import textbatch
    from textbatch.training.multi_label import train_multi_label

    path = several_file(tmp_path / "rows.parquet")
    done = train_multi_label(config_of(path, tmp_path / "model", multi_label=True))
    assert done.test.metrics.micro_f1 > 0.9
    assert done.baseline.micro_f1 > 0.9
    assert done.to_dict()["test"]["metrics"]["rows"] == done.rows["test"]
    with textbatch.load(tmp_path / "model") as model:
        answers = model.score_table(pa.table({"body": ["refund invoice parcel", "the of my"]}))
    first, second = answers["predicted_labels"].to_pylist()
    assert set(first) == {"billing", "shipping"}
    assert second == []


def test_every_other_option_is_refused(tmp_path):
    """Those that are new too, until somebody has thought about them."""
    plain = TrainConfig(inputs=("rows.parquet",), multi_label=True)
    others = [one for one in options_of(TrainConfig) if one.name not in ALLOWED]
    asked = {"folds", "weight_column", "soft_labels", "confidence_column", "augment", "self_train"}
    asked |= {"refit", "normalize_labels", "min_rows_per_label", "other", "jobs", "out_of_fold"}
    assert asked <= {one.name for one in others}
    for one in others:
        changed = TrainConfig(inputs=("rows.parquet",), multi_label=True)
        object.__setattr__(changed, one.name, "other")
        with pytest.raises(ConflictError, match=f"--{one.key} has no meaning"):
            changed.check_multi_label()
    plain.check_multi_label()


@pytest.mark.parametrize(
    "options",
    [
        {"label_separator": ";"},
        {"multi_label": True, "folds": 5},
        {"multi_label": True, "weight_column": "w"},
        {"multi_label": True, "augment": "typos"},
    ],
)
def test_options_that_contradict_each_other_are_refused(options, tmp_path):
    with pytest.raises(ConflictError):
        config_of(tmp_path / "rows.parquet", tmp_path / "model", **options)


def test_a_split_has_each_label_and_rows_of_none(tmp_path):
    path = several_file(tmp_path / "rows.parquet")
    config = config_of(path, tmp_path / "model", multi_label=True)
    splits = read_multi_label_splits(config, listener=SILENT)
    for rows in (splits.training, splits.validation, splits.test):
        found = {*rows.labels.to_pylist()}
        assert "[]" in found
        assert all(any(label in one for one in found) for label in KEYWORDS)
    assert sum(splits.sizes().values()) == 300


def test_a_label_on_too_few_rows_is_an_error(tmp_path):
    table = pa.table({"body": ["a b", "c d", "e f"], "queue": [["x"], ["x", "y"], []]})
    pq.write_table(table, tmp_path / "rows.parquet")
    config = config_of(tmp_path / "rows.parquet", tmp_path / "model", multi_label=True)
    with pytest.raises(DataError, match="fewer than 3 rows"):
        read_multi_label_splits(config, listener=SILENT)
