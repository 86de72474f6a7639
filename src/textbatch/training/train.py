"""The path of `train`: read → split → vocabulary → vectors → fit → calibrate → bundle."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial

from textbatch.data.readers.inputs import standard_input_as_file
from textbatch.model.bundle.directory import check_replaceable
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.listener import SILENT, Listener
from textbatch.report.training import TrainReport
from textbatch.training.augment.sources import read_sources
from textbatch.training.config.train import TrainConfig
from textbatch.training.cross_validation import (
    check_out_of_fold,
    cross_validate,
    held_out_by_folds,
    rows_to_fold,
)
from textbatch.training.fit.augmentation_trial import choose
from textbatch.training.fit.fit import fit_model, refit
from textbatch.training.fit.resume import open_checkpoint
from textbatch.training.out_of_fold import OutOfFold
from textbatch.training.package.assemble import measure_classifier
from textbatch.training.package.save import report_of, save
from textbatch.training.recipes.presets import recipe_of
from textbatch.training.run import TrainingRun
from textbatch.training.self_training import self_train
from textbatch.training.split.dataset import Splits, read_splits


def train(config: TrainConfig, *, listener: Listener = SILENT) -> TrainReport:
    """Train a model and write its bundle.

    Seeds the random generators of Python, numpy and Keras.

    Args:
        config: What to train on and how.
        listener: Gets messages and progress.

    Returns:
        The report.

    Raises:
        TextbatchError: Its subclass tells the kind of error. An older bundle is unchanged.
    """
    started = time.perf_counter()
    with (
        job_reported(config, lambda: {"model": os.fspath(config.model)}),
        # The texts are read several times, by the processes of the folds as well.
        standard_input_as_file(config.unlabelled) as unlabelled,
    ):
        report = _train(replace(config, unlabelled=unlabelled), listener, started)
    report = replace(report, seconds=round(time.perf_counter() - started, 1))
    if config.report:
        with only_warned(f"the report {config.report}", listener.log):
            write_json(config.report, report.to_dict())
    return report


def _train(config: TrainConfig, listener: Listener, started: float) -> TrainReport:
    check_replaceable(config.model, overwrite=config.if_exists == "replace")
    recipe = recipe_of(config)
    out_of_fold = check_out_of_fold(config)
    splits = read_splits(config, listener=listener)
    listener.log(
        f"{len(splits.training):,} rows to train on, {len(splits.validation):,} to validate, "
        f"{len(splits.test):,} to test; {len(splits.labels)} labels"
    )
    sources = read_sources(config, splits.labels)
    run = TrainingRun(config=config, recipe=recipe, sources=sources, listener=listener)
    folds = _cross_validate(run, splits) if config.folds else None
    # With auto several networks are trained, so there is no single state to resume from.
    checkpoint = None if config.augment == "auto" else open_checkpoint(run, splits)
    choice = choose(run, partial(fit_model, splits=splits, checkpoint=checkpoint))
    run, fitted, self_training = choice.run, choice.fitted, None
    if config.self_train:
        fitted, splits, self_training = self_train(run, splits, fitted)
    measured = measure_classifier(
        fitted.classifier,
        splits,
        config,
        refitted=refit(run, splits, fitted) if config.refit else None,
        out_of_fold=held_out_by_folds(config, splits, folds) if folds else None,
        listener=listener,
    )
    report = replace(
        report_of(config, splits, fitted, measured),
        folds=folds.summary() if folds else None,
        augmentation=choice.record,
        self_training=self_training,
        seconds=time.perf_counter() - started,
    )
    fingerprint = save(config, splits, fitted, measured, report)
    if folds and out_of_fold:
        folds.write(out_of_fold, overwrite=config.if_exists == "replace")
    if checkpoint:
        checkpoint.remove()
    return replace(report, fingerprint=fingerprint)


def _cross_validate(run: TrainingRun, splits: Splits) -> OutOfFold:
    # What auto keeps is known only later, so its folds are trained without augmentation.
    without = run.with_methods(()) if run.config.augment == "auto" else run
    folds = cross_validate(without, rows_to_fold(run.config, splits), splits.labels)
    run.listener.log(folds.summary().line())
    return folds
