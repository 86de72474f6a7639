"""Whole trainings in which every row teaches and every row measures."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.training import config_of

from textbatch.errors import DataError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.report.listener import MessagesOnly
from textbatch.training.cross_fit import fit as fitting
from textbatch.training.fit.resume import Checkpoints
from textbatch.training.recipes.presets import recipe_of
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import read_splits

pytestmark = pytest.mark.usefixtures("quick_recipe")


@pytest.fixture(scope="module")
def whole(labelled_file, quick_recipe, tmp_path_factory):
    """A training in two folds that nothing interrupts: its report, its folder, what it said."""
    from textbatch.training.train import train

    folder = tmp_path_factory.mktemp("whole")
    said: list[str] = []
    config = config_of(labelled_file, folder / "model", folds=2, quick=False)
    return train(config, listener=MessagesOnly(said.append)), folder, said


def test_every_row_teaches_and_measures(whole):
    report, folder, said = whole
    assert report.measured_on == "folds"
    assert report.rows == {"training": 300, "validation": 0, "test": 300}
    assert report.test.metrics.rows == 300
    assert [fold.rows for fold in report.folds.folds] == [150, 150]
    assert report.calibration.rows == 300
    assert "300 rows, 3 labels: 2 folds, then a network of all rows" in said[0]
    bundle = load_bundle(folder / "model")
    assert sum(map(len, bundle.held_out.confidences)) == 300
    assert bundle.profile.rows == 300
    assert bundle.int8.rows == 300
    assert report.test.metrics.accuracy > 0.9
    assert [one.name for one in report.contenders][-1] == "network alone"
    card = (folder / "model" / "README.md").read_text("utf-8")
    assert "On 300 rows, each by models of the other folds: accuracy" in card
    page = (folder / "model" / "report.html").read_text("utf-8")
    assert "300 rows in 2 folds, each row by models that had not" in page


def test_the_answers_of_the_folds_are_written_beside_the_model(whole):
    report, folder, _ = whole
    table = pq.read_table(folder / "model.out-of-fold.parquet")
    assert sorted(table["row"].to_pylist()) == list(range(1, 301))
    right = [a == b for a, b in zip(table["label"], table["predicted_label"], strict=True)]
    assert sum(right) / 300 == pytest.approx(report.test.metrics.accuracy)


def test_an_interrupted_training_goes_on_and_makes_the_same_model(
    whole, labelled_file, tmp_path, monkeypatch
):
    from textbatch.training.train import train

    said: list[str] = []
    config = config_of(labelled_file, tmp_path / "model", folds=2, quick=False, jobs=1)

    def stop(*_):
        raise DataError("here", "stop")

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "_fit_all", stop)
        with pytest.raises(DataError, match="here"):
            train(config, listener=MessagesOnly(said.append))
    kept = tmp_path / ".model.training"
    assert {"fold-1", "fold-2"} <= {path.name for path in kept.iterdir()}
    assert not (tmp_path / "model").exists()
    report = train(config, listener=MessagesOnly(said.append))
    assert any("going on with an interrupted run" in one for one in said)
    assert not kept.exists()
    assert report.fingerprint == whole[0].fingerprint


def test_checkpoints_of_other_folds_are_not_gone_on_from(labelled_file, tmp_path):
    config = config_of(labelled_file, tmp_path / "model", quick=False)
    splits = read_splits(config, whole=lambda *_: True)
    run = TrainingRun(config=config, recipe=recipe_of(config))
    Checkpoints(run, splits, 2).begin()
    mark = tmp_path / ".model.training" / "fold-1"
    mark.mkdir()
    Checkpoints(run, splits, 2).begin()
    assert mark.exists()
    Checkpoints(run, splits, 3).begin()
    assert not mark.exists()


def test_a_test_file_measures_the_model_itself(labelled_file, tmp_path, monkeypatch):
    """Nothing is fitted here: only which rows are which."""
    from textbatch.training import train as training

    seen = []

    def stop(run, splits, folds, checkpoints):
        seen.append((splits.sizes(), folds))
        raise DataError("here", "stop")

    monkeypatch.setattr(training, "cross_fit", stop)
    table = pq.read_table(labelled_file)
    pq.write_table(table.slice(0, 50), Path(tmp_path, "test.parquet"))
    config = config_of(
        labelled_file, tmp_path / "model", folds=3, quick=False, test=tmp_path / "test.parquet"
    )
    with pytest.raises(DataError, match="here"):
        training.train(config)
    assert seen == [({"training": 300, "validation": 0, "test": 50}, 3)]
