"""What was made becomes a report and a bundle on disk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from textbatch.model.bundle.bundle import save_bundle
from textbatch.model.bundle.records import Settings
from textbatch.report.files import SCHEMA_VERSION, failure_reported, write_json
from textbatch.report.training import TrainReport
from textbatch.text.normalization import split_tokens
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.fitted import Learned
from textbatch.training.out_of_fold import OutOfFold
from textbatch.training.package.assemble import Measured
from textbatch.training.package.baselines import check_baselines
from textbatch.training.package.model_card import model_card
from textbatch.training.package.page import training_page
from textbatch.training.split.dataset import Parts


def reported(config: TrainConfig, work: Callable[[float], TrainReport]) -> TrainReport:
    """Do the work, time it, and write its report where one is wanted, on failure too.

    Args:
        config: What was asked for.
        work: Gets the time at which it began, by `time.perf_counter`.
    """
    started = time.perf_counter()
    described = {"schema_version": SCHEMA_VERSION, "model": os.fspath(config.model)}
    with failure_reported(config.report, lambda: described):
        report = work(started)
        report = replace(report, seconds=round(time.perf_counter() - started, 1))
    if config.report:
        write_json(config.report, report.to_dict())
    return report


def report_of(
    config: TrainConfig,
    parts: Parts,
    learned: Learned,
    measured: Measured,
    folds: OutOfFold | None = None,
) -> TrainReport:
    """What was measured, still without the fingerprint.

    Args:
        config: What was asked for.
        parts: The labelled rows.
        learned: The network.
        measured: What was measured.
        folds: What a cross-validation found.

    Raises:
        QualityGateError: A simple model does better, and that is not allowed.
    """
    warning = check_baselines(
        measured.test.metrics.accuracy, measured.contenders, required=config.require_baseline
    )
    return TrainReport(
        model=os.fspath(config.model),
        rows=parts.sizes(),
        epochs=learned.epochs,
        best_epoch=learned.best_epoch.number if learned.epochs else 0,
        calibration=measured.calibration,
        test=measured.test,
        blend_weight=measured.blend_weight,
        contenders=measured.contenders,
        vectors=learned.coverage,
        warnings=[*parts.warnings, *learned.warnings, *([warning] if warning else [])],
        near_duplicates=parts.near_duplicates,
        folds=folds.summary() if folds else None,
    )


def save(
    config: TrainConfig,
    parts: Parts,
    learned: Learned,
    measured: Measured,
    report: TrainReport,
    *,
    preset: str,
    started: float,
) -> str:
    """Write the bundle with its card and its page.

    Args:
        config: What was asked for.
        parts: The labelled rows.
        learned: The network.
        measured: What was measured.
        report: For metrics and page.
        preset: The recipe that the network was trained with.
        started: When the work began, by `time.perf_counter`.

    Returns:
        The bundle's fingerprint.
    """
    settings = Settings(preset=preset, text_column=config.text_column)
    bundle = measured.bundle(settings, report.metrics())
    card = model_card(
        labels=bundle.labels,
        text_column=config.text_column,
        origin=_origin(learned, config, parts),
        network=learned.architecture.summary(),
        metrics=bundle.metrics,
    )
    page = training_page(
        bundle,
        config=config,
        report=replace(report, seconds=time.perf_counter() - started),
        epochs=learned.epochs,
        answers=measured.answers,
        test=parts.test,
        lengths=np.diff(split_tokens(parts.training.texts)[1]),
    )
    return save_bundle(
        bundle, config.model, card=card, overwrite=config.if_exists == "replace", page=page
    )


def _origin(learned: Learned, config: TrainConfig, parts: Parts) -> str:
    rows, held_out = len(parts.training), len(parts.validation)
    if learned.epochs:
        return (
            f"Trained on {rows:,} rows (preset `{config.preset}`), stopped early and calibrated on "
            f"{held_out:,}."
        )
    return (
        f"A Keras network that was fitted elsewhere; compared with simple models of {rows:,} rows, "
        f"calibrated on {held_out:,}."
    )
