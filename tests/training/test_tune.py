from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import optuna
import pyarrow.parquet as pq
import pytest
from support.training import QUICK, SPACE, labelled_table

from textbatch.errors import ConflictError, UsageError
from textbatch.report.listener import MessagesOnly
from textbatch.report.terminal.tuning import tuning_tables
from textbatch.report.tuning import TuneReport
from textbatch.training import tune as tuning
from textbatch.training.config.train import TrainConfig
from textbatch.training.config.tune import TuneConfig
from textbatch.training.recipes import search_space as space
from textbatch.training.recipes.file import read_recipe
from textbatch.training.recipes.search_space import Range
from textbatch.training.train import train
from textbatch.training.tune import tune

pytestmark = pytest.mark.usefixtures("quick_recipe")


@pytest.fixture(autouse=True, scope="module")
def small_space():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(space, "SPACE", SPACE)
        patch.setattr(space, "WIDTHS", (8, 12))
        yield


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pq.write_table(labelled_table(120, seed=0), path)
    return path


def config_of(rows: Path, study: Path, trials: int, **settings) -> TuneConfig:
    columns = {"text_column": "body", "label_column": "queue"}
    return TuneConfig(inputs=(rows,), study=study, trials=trials, **columns, **settings)


@pytest.fixture
def config(rows, tmp_path):
    return lambda trials, **settings: config_of(rows, tmp_path / "study", trials, **settings)


@pytest.fixture(scope="module")
def whole(rows, tmp_path_factory, quick_recipe, small_space) -> TuneReport:
    """Three trials in one go."""
    return tune(config_of(rows, tmp_path_factory.mktemp("whole") / "study", 3))


@pytest.fixture(scope="module")
def first_trial(rows, tmp_path_factory, quick_recipe, small_space) -> Path:
    study = tmp_path_factory.mktemp("first") / "study"
    tune(config_of(rows, study, 1))
    return study


@pytest.fixture
def one_trial(first_trial, tmp_path) -> Path:
    """A study after its first trial."""
    return shutil.copytree(first_trial, tmp_path / "study")


def test_a_study_cut_off_goes_on_to_what_one_run_finds(config, one_trial, whole, monkeypatch):
    said: list[str] = []
    real = tuning.prepare

    def killed(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(tuning, "prepare", killed)
    with pytest.raises(KeyboardInterrupt):
        tune(config(3))
    monkeypatch.setattr(tuning, "prepare", real)
    resumed = tune(config(3), listener=MessagesOnly(said.append))
    assert "1 of 3 trials are done" in said[0]
    done = [trial for trial in resumed.trials if trial.state != "fail"]
    assert [(t.settings, t.loss) for t in done] == [(t.settings, t.loss) for t in whole.trials]
    assert resumed.settings == whole.settings
    assert len(resumed.trials) == 4


def test_the_first_trial_is_the_recipe_and_the_best_trains_to_its_loss(config, whole, tmp_path):
    report = whole
    assert report.trials[0].settings["layers.0.units"] == QUICK.layers[0].units
    assert report.trials[0].settings["dropout.between"] == QUICK.dropout.between
    losses = [trial.loss for trial in report.trials if trial.loss is not None]
    best = next(trial for trial in report.trials if trial.number == report.best)
    assert best.loss == min(losses)
    file = Path(report.settings_file)
    recipe = read_recipe(file, QUICK)
    assert [layer.units for layer in recipe.layers] == [
        best.settings["layers.0.units"],
        best.settings["layers.1.units"],
    ]
    assert recipe.fit.learning_rate == best.settings["fit.learning_rate"]
    trained = train(
        TrainConfig(
            inputs=config(1).train.inputs,
            model=tmp_path / "model",
            text_column="body",
            label_column="queue",
            settings=file,
            quick=True,
        )
    )
    assert min(e.validation_loss for e in trained.epochs) == pytest.approx(best.loss, abs=1e-6)
    assert len(list(tuning_tables(report))) == 2
    json.dumps(report.to_dict())


def test_a_study_of_other_rows_or_seed_is_refused(config, one_trial):
    with pytest.raises(ConflictError, match="is of other rows, seed or settings"):
        tune(config(1, seed=5))


def test_when_the_time_is_up_the_trial_ends_and_none_follows(config, monkeypatch):
    now = iter(range(0, 10_000, 60))
    monkeypatch.setattr(tuning, "time", SimpleNamespace(monotonic=lambda: next(now)))
    short = config(5, time_budget=100)
    said: list[str] = []
    report = tune(short, listener=MessagesOnly(said.append))
    assert [trial.state for trial in report.trials] == ["complete"]
    assert report.trials[0].epochs < QUICK.fit.max_epochs
    assert said[-1] == "the time is up after 1 of 5 trials"


def test_hopeless_trials_are_pruned(config, monkeypatch):
    monkeypatch.setattr(tuning, "_UNPRUNED_TRIALS", 1)
    monkeypatch.setattr(tuning, "_UNPRUNED_EPOCHS", 1)
    monkeypatch.setattr(space, "SPACE", {"fit.learning_rate": Range(low=1e-7, high=0.02, log=True)})
    monkeypatch.setattr(
        optuna.trial.Trial,
        "suggest_float",
        lambda trial, name, *_, **__: 0.01 if trial.number == 0 else 1e-7,
    )
    report = tune(config(2))
    assert [trial.state for trial in report.trials] == ["complete", "pruned"]
    assert report.trials[1].epochs < report.trials[0].epochs
    assert report.best == 0


def test_without_optuna_the_extra_is_named(config, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r"pip install 'textbatch\[tune\]'"):
        tune(config(1, report=tmp_path / "report.json"))
    assert json.loads((tmp_path / "report.json").read_text())["exit_code"] == 2
