"""Report and bundle of a training, written to disk."""

from __future__ import annotations

import os
from dataclasses import asdict
from functools import partial

import numpy as np

from textbatch.model.bundle.bundle import save_bundle
from textbatch.model.bundle.memory import classifier_memory
from textbatch.model.bundle.memory_limit import told_too_large
from textbatch.model.bundle.records import Settings
from textbatch.model.quality.text_sketch import TextSketch
from textbatch.model.vectors.named import PIECES, SOURCES
from textbatch.report.training import TrainReport
from textbatch.text.normalization import split_tokens
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.fitted import Fitted
from textbatch.training.package.assemble import Measured
from textbatch.training.package.baselines import (
    check_baselines,
    still_falling,
    worse_on_rare_labels,
)
from textbatch.training.package.model_card import model_card
from textbatch.training.package.page import training_page
from textbatch.training.split.dataset import Splits


def report_of(
    config: TrainConfig, splits: Splits, fitted: Fitted, measured: Measured
) -> TrainReport:
    """Make the report, still without the fingerprint.

    Args:
        config: The options.
        splits: The labelled rows.
        fitted: The network.
        measured: Its measures.

    Raises:
        QualityGateError: A simple model is better, and that is not allowed.
    """
    found = measured.test.metrics
    warning = check_baselines(
        found.accuracy, measured.contenders, required=config.require_baseline
    ) or worse_on_rare_labels(found.macro_f1, measured.contenders)
    unfinished = still_falling(fitted.best_epoch, len(fitted.epochs))
    large = told_too_large(classifier_memory(measured.classifier))
    told = [one for one in (warning, unfinished, large) if one]
    return TrainReport(
        model=os.fspath(config.model),
        rows=splits.sizes(),
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch,
        calibration=measured.calibration,
        test=measured.test,
        blend_weight=measured.blend_weight,
        contenders=measured.contenders,
        vectors=fitted.start.coverage,
        warnings=[*splits.warnings, *fitted.start.warnings, *told],
        near_duplicates=splits.near_duplicates,
        left_out=splits.left_out,
        spellings=splits.spellings,
        long_texts=measured.long_texts,
    )


def _published(config: TrainConfig, measured: Measured, report: TrainReport) -> list[str]:
    """Origin and licence of the word vectors that others published."""
    named = [*report.vectors.origins()] if report.vectors else []
    if measured.knows_vectors and config.installed_vectors and not config.vectors:
        named.append(SOURCES[PIECES].origin)
    return named


def save(
    config: TrainConfig,
    splits: Splits,
    fitted: Fitted,
    measured: Measured,
    report: TrainReport,
) -> str:
    """Write the bundle with its card and its page.

    Args:
        config: The options.
        splits: The labelled rows.
        fitted: The network.
        measured: Its measures.
        report: The report so far, for metrics and page.

    Returns:
        The bundle's fingerprint.
    """
    settings = Settings(
        preset=fitted.preset,
        text_column=config.text_column,
        on_long=measured.classifier.on_long,
    )
    texts = TextSketch.of(splits.training.texts, splits.validation.texts)
    bundle = measured.bundle(settings, {**report.metrics(), "training_texts": asdict(texts)})
    card = model_card(
        labels=bundle.labels,
        text_column=config.text_column,
        origin=_origin(fitted, splits, report),
        network=fitted.start.architecture.summary(),
        test=report.test,
        measured_on=f"{report.test.metrics.rows:,} test rows"
        if report.measured_on == "test rows"
        else f"{report.test.metrics.rows:,} rows, each by models of the other folds",
        folds=report.folds.line() if report.folds else "",
        vectors=_published(config, measured, report),
    )
    page = partial(
        training_page,
        bundle,
        config=config,
        report=report,
        answers=measured.answers,
        test=splits.test,
        lengths=np.diff(split_tokens(splits.training.texts)[1]),
    )
    return save_bundle(
        bundle, config.model, card=card, overwrite=config.if_exists == "replace", page=page
    )


def _origin(fitted: Fitted, splits: Splits, report: TrainReport) -> str:
    told = _fitted_on(fitted, splits)
    return (
        f"{told} It goes on from model `{report.updated.fingerprint}`." if report.updated else told
    )


def _fitted_on(fitted: Fitted, splits: Splits) -> str:
    rows, held_out = len(splits.training), len(splits.validation)
    if fitted.epochs and not held_out:
        return (
            f"Trained on {rows:,} rows (preset `{fitted.preset}`); models of folds of these rows "
            "stopped it and calibrated it."
        )
    if fitted.epochs:
        return (
            f"Trained on {rows:,} rows (preset `{fitted.preset}`), stopped early and calibrated on "
            f"{held_out:,}."
        )
    return (
        f"A Keras network that was fitted elsewhere; compared with simple models of {rows:,} rows, "
        f"calibrated on {held_out:,}."
    )
