"""The path of `train --multi-label`: read → split → vectors → fit → calibrate → bundle."""

from __future__ import annotations

import os
import time
from dataclasses import replace

from textbatch.data.readers.inputs import standard_input_as_file
from textbatch.model.bundle.directory import check_replaceable
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.listener import SILENT, Listener
from textbatch.report.multi_label import MultiLabelReport
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.fit import fit_model
from textbatch.training.fit.resume import open_checkpoint
from textbatch.training.package.multi_label import finish, report_of, save
from textbatch.training.recipes.presets import recipe_of
from textbatch.training.run import TrainingRun
from textbatch.training.split.multi_label import read_multi_label_splits


def train_multi_label(config: TrainConfig, *, listener: Listener = SILENT) -> MultiLabelReport:
    """Train a model that gives a text any number of labels, and write its bundle.

    The rows are split once: a network of one sigmoid for each label learns from the training rows;
    the validation rows stop it, and fit the curve and the threshold of each label.

    Args:
        config: What to train on and how, with `multi_label`.
        listener: Gets messages and progress.

    Returns:
        The report.

    Raises:
        TextbatchError: Its subclass tells the kind of error. An older bundle is unchanged.
    """
    started = time.perf_counter()
    with (
        job_reported(config, lambda: {"model": os.fspath(config.model)}),
        standard_input_as_file(config.unlabelled) as unlabelled,
    ):
        report = _train(replace(config, unlabelled=unlabelled), listener)
    report = replace(report, seconds=round(time.perf_counter() - started, 1))
    if config.report:
        with only_warned(f"the report {config.report}", listener.log):
            write_json(config.report, report.to_dict())
    return report


def _train(config: TrainConfig, listener: Listener) -> MultiLabelReport:
    check_replaceable(config.model, overwrite=config.if_exists == "replace")
    recipe = recipe_of(config)
    splits = read_multi_label_splits(config, listener=listener)
    sizes = splits.sizes()
    listener.log(
        f"{sizes['training']:,} rows to train on, {sizes['validation']:,} to validate, "
        f"{sizes['test']:,} to test; {len(splits.labels)} labels, any number on a row"
    )
    run = TrainingRun(config=config, recipe=recipe, listener=listener)
    checkpoint = open_checkpoint(run, splits)
    fitted = fit_model(run, splits, checkpoint=checkpoint)
    done = finish(fitted, splits, config, listener)
    report = report_of(config, splits, fitted, done)
    fingerprint = save(config, splits, done, report)
    checkpoint.remove()
    return replace(report, fingerprint=fingerprint)
