"""The path of `train`: read → split → vocabulary → vectors → fit → calibrate → bundle."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from functools import partial

from textbatch.data.readers.inputs import standard_input_as_file
from textbatch.data.readers.labelled_rows import LabelledRows, label_counts
from textbatch.model.bundle.directory import check_replaceable
from textbatch.model.fitting.checkpoint import Checkpoint
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.learning_curve import LearningCurve
from textbatch.report.listener import SILENT, Listener
from textbatch.report.terminal.pace import span
from textbatch.report.training import AugmentationRecord, SelfTrainingRecord, TrainReport
from textbatch.training.augment.sources import read_sources
from textbatch.training.config.train import TrainConfig
from textbatch.training.cross_fit.fit import cross_fit
from textbatch.training.cross_fit.measure import measure_cross_fitted
from textbatch.training.cross_fit.plan import FoldPlan, plan_of
from textbatch.training.cross_validation import (
    check_out_of_fold,
    cross_validate,
    held_out_by_folds,
    rows_to_fold,
)
from textbatch.training.fit.augmentation_trial import choose
from textbatch.training.fit.fit import fit_model, refit
from textbatch.training.fit.fitted import Fitted
from textbatch.training.fit.resume import Checkpoints, open_checkpoint
from textbatch.training.out_of_fold import OutOfFold
from textbatch.training.package.assemble import Measured, measure_classifier
from textbatch.training.package.save import report_of, save
from textbatch.training.recipes.presets import recipe_of
from textbatch.training.run import TrainingRun
from textbatch.training.self_training import self_train
from textbatch.training.split.dataset import Splits, read_splits
from textbatch.training.split.labels import few_for_folds
from textbatch.training.teacher import taught
from textbatch.training.update import forgotten, parent_of, what_became
from textbatch.types import Int64Array


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trained:
    """A model before it is written.

    Attributes:
        splits: The rows that it learned from.
        fitted: The network.
        measured: Its measures.
        checkpoint: Deleted when the model is written.
        folds: The answers of folds; None without any.
        learning_curve: What more rows would bring; None without folds.
        augmentation: What became of augmentation; None if it was not asked for.
        self_training: What became of self-training; None if it was not asked for.
    """

    splits: Splits
    fitted: Fitted
    measured: Measured
    checkpoint: Checkpoint | Checkpoints | None
    folds: OutOfFold | None = None
    learning_curve: LearningCurve | None = None
    augmentation: AugmentationRecord | None = None
    self_training: SelfTrainingRecord | None = None


def _train(config: TrainConfig, listener: Listener, started: float) -> TrainReport:
    check_replaceable(config.model, overwrite=config.if_exists == "replace")
    recipe = recipe_of(config)
    out_of_fold = check_out_of_fold(config)
    plans: list[FoldPlan] = []

    def whole(rows: LabelledRows, groups: Int64Array) -> bool:
        plans.append(plan_of(config, recipe, rows, groups))
        return plans[-1].folds > 0

    splits = read_splits(config, listener=listener, whole=whole)
    parent = teacher = None
    if config.update is not None:
        parent, splits = parent_of(config.update, splits)
    if config.teacher is not None:
        splits, teacher = taught(splits, config.teacher, listener)
    sources = read_sources(config, splits.labels)
    run = TrainingRun(
        config=config, recipe=recipe, sources=sources, listener=listener, parent=parent
    )
    folds = plans[-1].folds
    if few := few_for_folds(label_counts(splits.training), folds):
        splits.warnings.append(few)
    listener.log(_told(splits, plans[-1]))
    done = _cross_fitted(run, splits, folds) if folds else _on_one_split(run, splits)
    if long_texts := done.measured.long_texts:
        listener.log(long_texts.line())
    report = replace(
        report_of(config, done.splits, done.fitted, done.measured),
        folds=done.folds.summary() if done.folds else None,
        measured_on="folds" if folds and not config.test else "test rows",
        learning_curve=done.learning_curve,
        augmentation=done.augmentation,
        self_training=done.self_training,
        teacher=teacher,
        seconds=time.perf_counter() - started,
    )
    if parent is not None:
        updated = what_became(parent, done.splits, report.test, listener)
        told = forgotten(updated, old_rows=config.old_rows is not None)
        report = replace(report, updated=updated, warnings=[*report.warnings, *told])
    fingerprint = save(config, done.splits, done.fitted, done.measured, report)
    if done.folds and out_of_fold:
        done.folds.write(out_of_fold, overwrite=config.if_exists == "replace")
    if done.checkpoint:
        done.checkpoint.remove()
    return replace(report, fingerprint=fingerprint)


def _told(splits: Splits, plan: FoldPlan) -> str:
    rows, labels = len(splits.training), len(splits.labels)
    if not plan.folds:
        return (
            f"{rows:,} rows to train on, {len(splits.validation):,} to validate, "
            f"{len(splits.test):,} to test; {labels} labels"
        )
    told = f"{rows:,} rows, {labels} labels: {plan.folds} folds, then a network of all rows"
    if plan.seconds:
        told += f"; about {span(plan.seconds)} on two cores (--quick: one split, one network)"
    return told


def _cross_fitted(run: TrainingRun, splits: Splits, folds: int) -> _Trained:
    run = run.with_methods(run.config.augment_methods)
    checkpoints = Checkpoints(run, splits, folds)
    fitted, answers = cross_fit(run, splits, folds, checkpoints)
    measured, out_of_fold = measure_cross_fitted(
        fitted.classifier,
        answers,
        splits,
        run.config,
        vectors=fitted.start.word_vectors,
        listener=run.listener,
    )
    methods = list(run.config.augment_methods)
    record = AugmentationRecord(asked=run.config.augment, methods=methods, kept=True, trials=[])
    return _Trained(
        splits=splits,
        fitted=fitted,
        measured=measured,
        checkpoint=checkpoints,
        folds=out_of_fold,
        learning_curve=answers.curve,
        augmentation=record if methods else None,
    )


def _on_one_split(run: TrainingRun, splits: Splits) -> _Trained:
    config = run.config
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
        vectors=fitted.start.word_vectors,
        listener=run.listener,
    )
    return _Trained(
        splits=splits,
        fitted=fitted,
        measured=measured,
        checkpoint=checkpoint,
        folds=folds,
        augmentation=choice.record,
        self_training=self_training,
    )


def _cross_validate(run: TrainingRun, splits: Splits) -> OutOfFold:
    # What auto keeps is known only later, so its folds are trained without augmentation.
    without = run.with_methods(()) if run.config.augment == "auto" else run
    folds = cross_validate(without, rows_to_fold(run.config, splits), splits.labels)
    run.listener.log(folds.summary().line())
    return folds
