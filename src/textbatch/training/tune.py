"""The search for better settings: trials on one split, kept in a study that can be gone on with."""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
from textbatch.model.fitting.settings import Epoch
from textbatch.model.network.keras_backend import forget_networks
from textbatch.report.files import failure_reported, write_json
from textbatch.report.terminal.pace import span
from textbatch.report.terminal.progress import Progress, Silent, Within
from textbatch.report.tuning import Trial, TuneReport
from textbatch.training.config.tune import TuneConfig
from textbatch.training.fit.fit import learn
from textbatch.training.recipes.file import dump_recipe, recipe_values
from textbatch.training.recipes.presets import Recipe, recipe_of
from textbatch.training.recipes.search_space import Range, settings_of, space_of, with_settings
from textbatch.training.split.dataset import Parts, read_parts

if TYPE_CHECKING:
    import optuna

#: In the study's directory.
STUDY, BEST = "study.db", "best.toml"
#: Trials that are drawn at random before the sampler models them, and that none is pruned in.
_STARTUP_TRIALS, _UNPRUNED_TRIALS, _UNPRUNED_EPOCHS = 8, 4, 2

#: The loss of a pass that ended in NaN.
_DIVERGED = 1e6


class _EndedError(Exception):
    """A trial ends before its time."""

    def __init__(self, *, pruned: bool) -> None:
        super().__init__()
        self.pruned = pruned


def tune(
    config: TuneConfig,
    *,
    say: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> TuneReport:
    """Search settings with the least loss on the validation rows; the test rows stay unused.

    The first trial is the recipe as it is. Later ones are drawn by a tree-structured Parzen
    estimator (Bergstra et al. 2011), from the seed and the trial's number; those whose validation
    loss is above the median of the others after as many passes are ended. Every trial is kept in
    the study, so that the same command, run again, goes on.

    Args:
        config: What to search on and how long.
        say: Called with a line per trial.
        progress: Told about the steps of each trial.

    Raises:
        MissingExtraError: optuna is not installed.
        ConflictError: The study is of other rows or settings.
        TextbatchError: The rows cannot be learned from.
    """
    with failure_reported(config.train.report, lambda: {"study": str(config.study)}):
        optuna_module()
        report = _tune(config, say or (lambda _: None), progress or Silent())
    if config.train.report:
        write_json(config.train.report, report.to_dict())
    return report


def optuna_module() -> Any:  # noqa: ANN401
    """Optuna, imported when it is needed.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return import_module("optuna")
    except ModuleNotFoundError as error:
        raise MissingExtraError("tune", "optuna", "tune") from error


def _tune(config: TuneConfig, say: Callable[[str], None], progress: Progress) -> TuneReport:
    started = time.monotonic()
    deadline = started + (config.time_budget or float("inf"))
    recipe = recipe_of(config.train)
    parts = read_parts(config.train, progress=progress)
    with _open_study(config, parts, recipe) as study:
        say(
            f"{len(parts.training):,} rows to train on, {len(parts.validation):,} to choose by; "
            f"{_settled(study):,} of {config.trials:,} trials are done"
        )
        while (done := _settled(study)) < config.trials:
            # The first trial of a study always runs: else there would be nothing to write.
            if time.monotonic() >= deadline and done:
                say(f"the time is up after {done:,} of {config.trials:,} trials")
                break
            _run_trial(study, config, parts, recipe, deadline, say, progress)
        trials = [_told(trial) for trial in study.get_trials(deepcopy=False)]
    best = min((t for t in trials if t.loss is not None), key=lambda t: (t.loss, t.number))
    found = recipe_values(with_settings(recipe, best.settings))
    path = config.study / BEST
    with storage_errors(path, "cannot write", missing=OutputError):
        path.write_text(dump_recipe(found), encoding="utf-8")
    return TuneReport(
        study=str(config.study),
        settings_file=str(path),
        rows={"training": len(parts.training), "validation": len(parts.validation)},
        best=best.number,
        trials=trials,
        settings=found,
        warnings=parts.warnings,
        seconds=round(time.monotonic() - started, 1),
    )


@contextmanager
def _open_study(config: TuneConfig, parts: Parts, recipe: Recipe) -> Iterator[optuna.Study]:
    """The study in its directory, made where there is none; its file is closed at the end."""
    module = optuna_module()
    module.logging.set_verbosity(module.logging.ERROR)
    with storage_errors(config.study, "cannot make", missing=OutputError):
        config.study.mkdir(exist_ok=True)
    storage = module.storages.RDBStorage(f"sqlite:///{(config.study / STUDY).resolve()}")
    try:
        study: optuna.Study = module.create_study(
            storage=storage, study_name="textbatch", direction="minimize", load_if_exists=True
        )
        _take_up(study, config, _key(config, parts, recipe), settings_of(recipe))
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _take_up(study: optuna.Study, config: TuneConfig, key: str, start: Mapping[str, Any]) -> None:
    """Check that a study is of these rows; what it begins with; what was cut off, once more."""
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


def _run_trial(
    study: optuna.Study,
    config: TuneConfig,
    parts: Parts,
    recipe: Recipe,
    deadline: float,
    say: Callable[[str], None],
    progress: Progress,
) -> None:
    module = optuna_module()
    settled = _settled(study)
    # By the trials before, so that a study gone on with draws what one run would have drawn.
    seed = int(np.random.SeedSequence((config.train.seed, settled)).generate_state(1)[0])
    study.sampler = module.samplers.TPESampler(
        seed=seed, n_startup_trials=_STARTUP_TRIALS, multivariate=False
    )
    study.pruner = module.pruners.MedianPruner(
        n_startup_trials=_UNPRUNED_TRIALS, n_warmup_steps=_UNPRUNED_EPOCHS
    )
    trial = study.ask()
    with warnings.catch_warnings():
        # The first trial is the recipe as it is, within the bounds of the search or not.
        warnings.filterwarnings("ignore", "Fixed parameter", UserWarning)
        changes = {name: _suggest(trial, name, bounds) for name, bounds in space_of(recipe).items()}
    losses: list[float] = []

    def on_epoch(epoch: Epoch) -> None:
        losses.append(float(np.nan_to_num(epoch.validation_loss, nan=_DIVERGED)))
        # The best so far, which is what a trial is worth: a late rise costs it nothing.
        trial.report(min(losses), epoch.number)
        if trial.should_prune():
            raise _EndedError(pruned=True)
        if time.monotonic() >= deadline:
            raise _EndedError(pruned=False)

    told = Within(f"trial {trial.number}", progress)
    try:
        pruned = _learn(parts, config, with_settings(recipe, changes), on_epoch, told)
    except DataError:
        # Settings that leave no word; where the recipe itself does, the rows are to blame.
        if not settled:
            raise
        pruned = True
    if pruned:
        study.tell(trial, state=module.trial.TrialState.PRUNED)
    else:
        study.tell(trial, min(losses))
    trial_line = _told(study.get_trials(deepcopy=False)[trial.number]).line()
    left = _seconds_left(study, config, deadline)
    say(
        f"{trial_line}; best so far {study.best_value:.4f} (trial {study.best_trial.number}); "
        f"about {span(left)} left"
    )


def _seconds_left(study: optuna.Study, config: TuneConfig, deadline: float) -> float:
    """For the trials to come, at the mean pace of those that are done."""
    spent = [
        trial.duration.total_seconds()
        for trial in study.get_trials(deepcopy=False)
        if trial.duration is not None
    ]
    needed = (config.trials - _settled(study)) * sum(spent) / max(1, len(spent))
    return max(0.0, min(needed, deadline - time.monotonic()))


def _learn(
    parts: Parts,
    config: TuneConfig,
    recipe: Recipe,
    on_epoch: Callable[[Epoch], None],
    progress: Progress,
) -> bool:
    """Train; whether the trial was pruned."""
    try:
        learn(parts, config.train, recipe, on_epoch=on_epoch, progress=progress)
        return False
    except _EndedError as end:
        return end.pruned
    finally:
        forget_networks()


def _suggest(trial: optuna.Trial, name: str, bounds: Range | tuple[Any, ...]) -> Any:  # noqa: ANN401
    if not isinstance(bounds, Range):
        return trial.suggest_categorical(name, bounds)
    if isinstance(bounds.low, int):
        return trial.suggest_int(name, bounds.low, int(bounds.high), step=int(bounds.step or 1))
    return trial.suggest_float(name, bounds.low, bounds.high, step=bounds.step, log=bounds.log)


def _settled(study: optuna.Study) -> int:
    states = optuna_module().trial.TrialState
    return len(study.get_trials(deepcopy=False, states=(states.COMPLETE, states.PRUNED)))


def _told(trial: optuna.trial.FrozenTrial) -> Trial:
    values: Mapping[int, float] = trial.intermediate_values
    return Trial(
        number=trial.number,
        state=trial.state.name.lower(),
        loss=trial.value if trial.state.name == "COMPLETE" else None,
        epochs=len(values),
        settings=dict(trial.params),
    )


def _key(config: TuneConfig, parts: Parts, recipe: Recipe) -> str:
    digest = hashlib.sha256(repr((config.train.seed, recipe, sorted(space_of(recipe)))).encode())
    for part in (parts.training, parts.validation):
        names = ["texts", "labels"]
        digest.update(pa.record_batch([part.texts, part.labels], names=names).serialize())
    return digest.hexdigest()
