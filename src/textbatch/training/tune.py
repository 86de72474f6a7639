"""The path of `tune`: trials of settings on one split, kept in a study that can be continued."""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from textbatch.errors import (
    ConflictError,
    DataError,
    MissingExtraError,
    OutputError,
    storage_errors,
)
from textbatch.model.network.keras_backend import forget_networks
from textbatch.report.files import job_reported, only_warned, write_json, write_whole
from textbatch.report.listener import SILENT, Listener, StepsOnly
from textbatch.report.terminal.pace import span
from textbatch.report.tuning import Trial, TuneReport
from textbatch.training.config.tune import BEST, STUDY, TuneConfig
from textbatch.training.fit.fit import prepare
from textbatch.training.fit.network import NetworkFit
from textbatch.training.recipes.file import dump_recipe, recipe_values
from textbatch.training.recipes.presets import Recipe, recipe_of
from textbatch.training.recipes.search_space import Range, settings_of, space_of, with_settings
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import Splits, read_splits

if TYPE_CHECKING:
    import optuna

#: Trials whose settings are drawn at random; trials, and epochs of a trial, that are never pruned.
_STARTUP_TRIALS, _UNPRUNED_TRIALS, _UNPRUNED_EPOCHS = 8, 4, 2

#: The loss that stands for NaN.
_DIVERGED = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """A running search.

    Attributes:
        study: Keeps the trials.
        run: Tells how the network of a trial is fitted; a trial changes some settings.
        splits: The rows.
        trials: How many trials there will be.
        deadline: When to stop, on the clock of `time.monotonic`.
    """

    study: optuna.Study
    run: TrainingRun
    splits: Splits
    trials: int
    deadline: float

    @property
    def settled(self) -> int:
        """How many trials are done."""
        states = optuna_module().trial.TrialState
        wanted = (states.COMPLETE, states.PRUNED)
        return len(self.study.get_trials(deepcopy=False, states=wanted))

    @property
    def seconds_left(self) -> float:
        """Seconds for the remaining trials, from the mean time of those that are done."""
        spent = [
            trial.duration.total_seconds()
            for trial in self.study.get_trials(deepcopy=False)
            if trial.duration is not None
        ]
        needed = (self.trials - self.settled) * sum(spent) / max(1, len(spent))
        return max(0.0, min(needed, self.deadline - time.monotonic()))


def tune(config: TuneConfig, *, listener: Listener = SILENT) -> TuneReport:
    """Search the settings with the least loss on the validation rows. Test rows are not used.

    The first trial is the unchanged recipe. Later ones are drawn by a tree-structured Parzen
    estimator (Bergstra et al. 2011), from the seed and the trial's number. A trial is stopped when
    its validation loss is above the median of the others after as many epochs. Every trial is kept
    in the study, so that the same command, run again, continues.

    Args:
        config: Names the rows, and says how long to search.
        listener: Gets a message for each trial, and its progress.

    Returns:
        The report.

    Raises:
        MissingExtraError: optuna is not installed.
        ConflictError: The study was made with other rows or settings.
        TextbatchError: The rows cannot be learned from.
    """
    with job_reported(config, lambda: {"study": str(config.study)}):
        optuna_module()
        report = _tune(config, listener)
    if config.train.report:
        with only_warned(f"the report {config.train.report}", listener.log):
            write_json(config.train.report, report.to_dict())
    return report


def optuna_module() -> Any:  # noqa: ANN401
    """Import optuna, which is done only when it is needed.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return import_module("optuna")
    except ModuleNotFoundError as error:
        raise MissingExtraError("tune", "optuna", "tune") from error


def _tune(config: TuneConfig, listener: Listener) -> TuneReport:
    started = time.monotonic()
    deadline = started + (config.time_budget or float("inf"))
    recipe = recipe_of(config.train)
    splits = read_splits(config.train, listener=listener)
    run = TrainingRun(config=config.train, recipe=recipe, listener=listener)
    with _open_study(config, splits, recipe) as study:
        search = _Search(
            study=study, run=run, splits=splits, trials=config.trials, deadline=deadline
        )
        listener.log(
            f"{len(splits.training):,} rows to train on, {len(splits.validation):,} to choose by; "
            f"{search.settled:,} of {config.trials:,} trials are done"
        )
        while (done := search.settled) < config.trials:
            # The first trial of a study always runs, or there would be no settings to write.
            if time.monotonic() >= deadline and done:
                listener.log(f"the time is up after {done:,} of {config.trials:,} trials")
                break
            _run_trial(search)
        trials = [_trial_of(trial) for trial in study.get_trials(deepcopy=False)]
    best = min((t for t in trials if t.loss is not None), key=lambda t: (t.loss, t.number))
    settings = recipe_values(with_settings(recipe, best.settings))
    path = config.study / BEST
    write_whole(path, dump_recipe(settings))
    return TuneReport(
        study=str(config.study),
        settings_file=str(path),
        rows={"training": len(splits.training), "validation": len(splits.validation)},
        best=best.number,
        trials=trials,
        settings=settings,
        warnings=splits.warnings,
        seconds=round(time.monotonic() - started, 1),
    )


@contextmanager
def _open_study(config: TuneConfig, splits: Splits, recipe: Recipe) -> Iterator[optuna.Study]:
    """Yield the study in its directory, which is made if needed; close its file at the end."""
    module = optuna_module()
    module.logging.set_verbosity(module.logging.ERROR)
    with storage_errors(config.study, "cannot make", missing=OutputError):
        config.study.mkdir(exist_ok=True)
    storage = module.storages.RDBStorage(f"sqlite:///{(config.study / STUDY).resolve()}")
    try:
        study: optuna.Study = module.create_study(
            storage=storage, study_name="textbatch", direction="minimize", load_if_exists=True
        )
        _take_up(study, config, _key(config, splits, recipe), settings_of(recipe))
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _take_up(study: optuna.Study, config: TuneConfig, key: str, start: Mapping[str, Any]) -> None:
    """Check that a study is of these rows; queue its first trial, and trials that were cut off."""
    known = study.user_attrs.get("key")
    if known is None:
        study.enqueue_trial(dict(start))
        study.set_user_attr("key", key)
    elif known != key:
        raise ConflictError(
            f"the study in {config.study} is of other rows, seed or settings",
            "name another directory with --study",
        )
    states = optuna_module().trial.TrialState
    for trial in study.get_trials(deepcopy=False, states=(states.RUNNING,)):
        study.tell(trial.number, state=states.FAIL)
        study.enqueue_trial(trial.params or dict(start))


def _run_trial(search: _Search) -> None:
    module, study, settled = optuna_module(), search.study, search.settled
    trial = _ask(search)
    with warnings.catch_warnings():
        # The recipe's own settings may be outside the bounds of the search.
        warnings.filterwarnings("ignore", "Fixed parameter", UserWarning)
        space = space_of(search.run.recipe)
        changes = {name: _suggest(trial, name, bounds) for name, bounds in space.items()}
    listener = StepsOnly(search.run.listener, within=f"trial {trial.number}")
    recipe = with_settings(search.run.recipe, changes)
    try:
        loss = _loss(search, trial, replace(search.run, recipe=recipe, listener=listener))
    except DataError:
        # These settings leave no word. If the recipe itself does so, the rows are the cause.
        if not settled:
            raise
        loss = None
    finally:
        forget_networks()
    if loss is None:
        study.tell(trial, state=module.trial.TrialState.PRUNED)
    else:
        study.tell(trial, loss)
    line = _trial_of(study.get_trials(deepcopy=False)[trial.number]).line()
    search.run.listener.log(
        f"{line}; best so far {study.best_value:.4f} (trial {study.best_trial.number}); "
        f"about {span(search.seconds_left)} left"
    )


def _ask(search: _Search) -> optuna.Trial:
    """Draw the next trial."""
    module, study = optuna_module(), search.study
    # The seed depends on the number of trials before, so that a continued study draws the same
    # trials as one that was never interrupted.
    sequence = np.random.SeedSequence((search.run.config.seed, search.settled))
    study.sampler = module.samplers.TPESampler(
        seed=int(sequence.generate_state(1)[0]),
        n_startup_trials=_STARTUP_TRIALS,
        multivariate=False,
    )
    study.pruner = module.pruners.MedianPruner(
        n_startup_trials=_UNPRUNED_TRIALS, n_warmup_steps=_UNPRUNED_EPOCHS
    )
    return study.ask()


def _loss(search: _Search, trial: optuna.Trial, run: TrainingRun) -> float | None:
    """Run a trial; return its least validation loss, or None if it is pruned."""
    best = float("inf")
    fit = NetworkFit(run, search.splits, prepare(run, search.splits))
    for epoch in fit.epochs():
        # A trial counts by its best epoch, so a later rise of the loss does not matter.
        best = min(best, float(np.nan_to_num(epoch.validation_loss, nan=_DIVERGED)))
        trial.report(best, epoch.number)
        if trial.should_prune():
            return None
        if time.monotonic() >= search.deadline:
            break
    return best


def _suggest(trial: optuna.Trial, name: str, bounds: Range | tuple[Any, ...]) -> Any:  # noqa: ANN401
    if not isinstance(bounds, Range):
        return trial.suggest_categorical(name, bounds)
    if isinstance(bounds.low, int):
        return trial.suggest_int(name, bounds.low, int(bounds.high), step=int(bounds.step or 1))
    return trial.suggest_float(name, bounds.low, bounds.high, step=bounds.step, log=bounds.log)


def _trial_of(trial: optuna.trial.FrozenTrial) -> Trial:
    values: Mapping[int, float] = trial.intermediate_values
    return Trial(
        number=trial.number,
        state=trial.state.name.lower(),
        loss=trial.value if trial.state.name == "COMPLETE" else None,
        epochs=len(values),
        settings=dict(trial.params),
    )


def _key(config: TuneConfig, splits: Splits, recipe: Recipe) -> str:
    digest = hashlib.sha256(repr((config.train.seed, recipe, sorted(space_of(recipe)))).encode())
    for rows in (splits.training, splits.validation):
        names = ["texts", "labels"]
        digest.update(pa.record_batch([rows.texts, rows.labels], names=names).serialize())
    return digest.hexdigest()
