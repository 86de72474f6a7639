"""The training path, end to end: read → split → vocabulary → vectors → fit → calibrate → bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from textbatch.data.readers.inputs import standard_input_as_file
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.directory import check_replaceable
from textbatch.model.network.weights import Weights
from textbatch.report.terminal.progress import Progress
from textbatch.report.training import TrainReport
from textbatch.training.augment.sources import Sources, read_sources
from textbatch.training.config.train import TrainConfig
from textbatch.training.cross_validation import check_out_of_fold, cross_validate, rows_to_fold
from textbatch.training.fit.augmentation_trial import choose
from textbatch.training.fit.fit import learn, learn_again, refit
from textbatch.training.fit.fitted import Learned
from textbatch.training.fit.resume import open_checkpoint
from textbatch.training.linear import HeldOutRows
from textbatch.training.out_of_fold import OutOfFold, summary_line
from textbatch.training.package.assemble import measure_classifier
from textbatch.training.package.save import report_of, reported, save
from textbatch.training.recipes.presets import Recipe, recipe_of
from textbatch.training.self_training import SelfTraining, self_train
from textbatch.training.split.dataset import Parts, read_parts


def train(
    config: TrainConfig,
    *,
    say: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> TrainReport:
    """Train a model and write its bundle.

    Seeds Python's, numpy's and Keras's global random generators.

    Args:
        config: What to train on and how.
        say: Called with one line per step, for a person who waits.
        progress: Told about every long step.

    Raises:
        TextbatchError: A subclass says what went wrong; an older bundle is still in place.
    """
    return reported(
        config, lambda started: _train_here(config, say or (lambda _: None), started, progress)
    )


def _train_here(
    config: TrainConfig,
    say: Callable[[str], None],
    started: float,
    progress: Progress | None,
) -> TrainReport:
    # The texts are read several times, by the processes of the folds as well.
    with standard_input_as_file(config.unlabelled) as unlabelled:
        return _train(replace(config, unlabelled=unlabelled), say, started, progress)


def _train(
    config: TrainConfig,
    say: Callable[[str], None],
    started: float,
    progress: Progress | None,
) -> TrainReport:
    check_replaceable(config.model, overwrite=config.if_exists == "replace")
    recipe = recipe_of(config)
    out_of_fold = check_out_of_fold(config)
    parts = read_parts(config, progress=progress)
    say(
        f"{len(parts.training):,} rows to train on, {len(parts.validation):,} to validate, "
        f"{len(parts.test):,} to test; {len(parts.labels)} labels"
    )
    sources = read_sources(config, parts.labels)
    folds = _cross_validate(config, recipe, parts, sources, say, progress)
    # With auto several networks are trained: there is no one state to go on from.
    checkpoint = None if config.augment == "auto" else open_checkpoint(config, parts, recipe, say)
    chosen = choose(
        config,
        lambda methods, seed: learn(
            parts,
            replace(config, seed=seed),
            recipe,
            sources=sources.only(methods),
            say=say,
            checkpoint=checkpoint,
            progress=progress,
        ),
        say=say,
    )
    sources = sources.only(chosen.methods)
    learned, parts, pseudo = _self_train(
        config, recipe, parts, chosen.network, sources, say, progress
    )
    network = Classifier(
        architecture=learned.architecture,
        vocabulary=learned.tokenizer.vocabulary,
        labels=parts.labels,
        weights=learned.weights,
    )
    measured = measure_classifier(
        network,
        parts,
        config,
        refitted=_refit(config, recipe, parts, learned, sources, say, progress),
        out_of_fold=_out_of_fold(config, parts, folds),
        progress=progress,
    )
    report = replace(
        report_of(config, parts, learned, measured, folds),
        augmentation=chosen.record,
        self_training=pseudo.to_dict() if pseudo else None,
    )
    fingerprint = save(
        config, parts, learned, measured, report, preset=config.preset, started=started
    )
    if folds and out_of_fold:
        folds.write(out_of_fold, overwrite=config.if_exists == "replace")
    if checkpoint:
        checkpoint.remove()
    return replace(report, fingerprint=fingerprint)


def _self_train(
    config: TrainConfig,
    recipe: Recipe,
    parts: Parts,
    first: Learned,
    sources: Sources,
    say: Callable[[str], None],
    progress: Progress | None,
) -> tuple[Learned, Parts, SelfTraining | None]:
    if not config.self_train:
        return first, parts, None

    def fit(taught: Parts) -> Learned:
        return learn_again(
            first, taught, config, recipe, sources=sources, say=say, progress=progress
        )

    return self_train(config, parts, first, fit, say=say, progress=progress)


def _refit(
    config: TrainConfig,
    recipe: Recipe,
    parts: Parts,
    learned: Learned,
    sources: Sources,
    say: Callable[[str], None],
    progress: Progress | None,
) -> Weights | None:
    if not config.refit:
        return None
    return refit(learned, parts, config, recipe, sources=sources, say=say, progress=progress)


def _cross_validate(
    config: TrainConfig,
    recipe: Recipe,
    parts: Parts,
    sources: Sources,
    say: Callable[[str], None],
    progress: Progress | None,
) -> OutOfFold | None:
    if not config.folds:
        return None
    # What auto would keep is known later: its folds are trained without.
    methods = () if config.augment == "auto" else sources.methods
    found = cross_validate(
        rows_to_fold(parts, validation_given=config.validation is not None),
        parts.labels,
        partial(learn, config=config, recipe=recipe, sources=sources.only(methods)),
        folds=config.folds,
        jobs=config.jobs,
        seed=config.seed,
        say=say,
        progress=progress,
    )
    say(summary_line(found.summary()))
    return found


def _out_of_fold(config: TrainConfig, parts: Parts, folds: OutOfFold | None) -> HeldOutRows | None:
    if not folds:
        return None
    rows = rows_to_fold(parts, validation_given=config.validation is not None)
    return HeldOutRows(rows=rows, logits=folds.logits, folds=folds.folds)
