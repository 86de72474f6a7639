"""From a network for any number of labels to a bundle that has been measured."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace

import numpy as np

from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.data.readers.multi_labels import label_matrix, list_counts
from textbatch.errors import DataError, QualityGateError
from textbatch.model.bundle.blend import Blend
from textbatch.model.bundle.bundle import Bundle, save_bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.records import Settings
from textbatch.model.linear.blend_weight import WEIGHTS
from textbatch.model.linear.text_model import (
    MAX_SUBWORD_TOKENS,
    LinearFeatures,
    LinearTextModel,
    fit_linear_text,
)
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import Calibration
from textbatch.model.quality.multi_label import MultiLabel, fit_curves, mean_loss
from textbatch.model.quality.multi_label_metrics import (
    MultiLabelMetrics,
    measure_sets,
    pair_calibration_error,
)
from textbatch.model.quality.profile import training_profile
from textbatch.model.quality.text_sketch import TextSketch
from textbatch.model.quality.thresholds import HeldOut
from textbatch.report.listener import Listener
from textbatch.report.multi_label import MultiLabelEvaluation, MultiLabelReport
from textbatch.report.next_steps import command_line
from textbatch.scoring.evaluate_multi import evaluate_sets
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import OOV_ID
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.fitted import Fitted
from textbatch.training.package.assemble import golden_of
from textbatch.training.package.baselines import still_falling
from textbatch.training.split.dataset import Splits
from textbatch.types import BoolArray, Float32Array

#: The linear models that are tried. Equally good ones: the first.
_FEATURES = (
    LinearFeatures(),
    LinearFeatures(max_pairs=1_000_000),
    LinearFeatures(max_pairs=1_000_000, subwords=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A calibrated classifier and its measures.

    Attributes:
        bundle: Everything but the metrics.
        test: Measures on the test rows.
        baseline: The same of one support vector machine for each label.
    """

    bundle: Bundle
    test: MultiLabelEvaluation
    baseline: MultiLabelMetrics


def finish(fitted: Fitted, splits: Splits, config: TrainConfig, listener: Listener) -> Finished:
    """Add a linear model where it helps, calibrate each label, and measure on the test rows.

    The validation rows decide about the linear model, the curves and the thresholds.

    Args:
        fitted: The network, fitted to the training rows only.
        splits: The labelled rows.
        config: Tells whether a linear model may be added, and gives the seed of the golden texts.
        listener: Gets the progress.

    Raises:
        DataError: No validation row has a known token.
    """
    with listener.step("fitting simple models"):
        classifier, calibration = _calibrated(fitted.classifier, splits, config)
        baseline = _baseline(classifier.tokenizer, splits)
    with open_predictor(classifier) as predictor:
        with listener.step("testing", len(splits.test)) as step:
            test = evaluate_sets(predictor, splits.test, on_rows=step.advance)
        golden = golden_of(predictor, config.seed)
    nothing: list[list[float]] = [[] for _ in classifier.labels]
    bundle = Bundle(
        classifier=classifier,
        settings=Settings(preset=fitted.preset, text_column=config.text_column),
        calibration=calibration,
        # What these hold is of one label for each row.
        held_out=HeldOut(confidences=nothing, correct=[[] for _ in classifier.labels]),
        profile=training_profile(
            classifier.tokenizer.encode(splits.training.texts),
            labels=list_counts(splits.training.labels),
            confidences=np.zeros(0, np.float32),
            oov_id=OOV_ID,
        ),
        golden=golden,
        int8=None,
        metrics={},
    )
    return Finished(bundle=bundle, test=test, baseline=baseline)


def report_of(
    config: TrainConfig, splits: Splits, fitted: Fitted, done: Finished
) -> MultiLabelReport:
    """Make the report, still without the fingerprint.

    Args:
        config: The options.
        splits: The labelled rows.
        fitted: The network.
        done: The model and its measures.

    Raises:
        QualityGateError: The baseline is better, and that is not allowed.
    """
    ours, simple = done.test.metrics.micro_f1, done.baseline.micro_f1
    told = [one for one in (still_falling(fitted.best_epoch, len(fitted.epochs)),) if one]
    if ours < simple:
        what = (
            f"TF-IDF with a linear SVM for each label has micro F1 {simple:.4f} on the test rows, "
            f"the model {ours:.4f}"
        )
        if config.require_baseline:
            raise QualityGateError(what, "use the simple model, or give more rows")
        told.append(f"{what}: prefer the simple model, or give more rows")
    blend = done.bundle.classifier.blend
    return MultiLabelReport(
        model=os.fspath(config.model),
        rows=splits.sizes(),
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch,
        test=done.test,
        baseline=done.baseline,
        blend_weight=blend.weight if blend else 0.0,
        warnings=[*splits.warnings, *fitted.start.warnings, *told],
        left_out=splits.left_out,
        near_duplicates=splits.near_duplicates,
    )


def save(config: TrainConfig, splits: Splits, done: Finished, report: MultiLabelReport) -> str:
    """Write the bundle with its card.

    Args:
        config: The options.
        splits: The labelled rows.
        done: The model.
        report: The report so far.

    Returns:
        The bundle's fingerprint.
    """
    texts = TextSketch.of(splits.training.texts, splits.validation.texts)
    bundle = replace(done.bundle, metrics={**report.metrics(), "training_texts": asdict(texts)})
    overwrite = config.if_exists == "replace"
    return save_bundle(bundle, config.model, card=_card(bundle, report), overwrite=overwrite)


def _calibrated(
    network: Classifier, splits: Splits, config: TrainConfig
) -> tuple[Classifier, Calibration]:
    held_out = splits.validation
    with open_predictor(network) as predictor:
        logits, _ = predictor.predict_logits(held_out.texts)
    evidence = np.isfinite(logits[:, 0])
    if not evidence.any():
        raise DataError("no validation row has a word that training knows", "add more rows")
    true = label_matrix(held_out.labels, splits.labels)[0][evidence]
    logits, tokenizer = logits[evidence], network.tokenizer
    curves, weight, best = fit_curves(logits, true), 0.0, LinearFeatures()
    loss = mean_loss(curves.probabilities(logits), true)
    answering = logits
    for features in _tried(splits, tokenizer) if config.blend == "auto" else ():
        model = _linear(splits.training, splits, tokenizer, features)
        margins = model.margins(tokenizer.encode(held_out.texts))[evidence]
        for one in WEIGHTS[::2]:
            both = np.asarray(logits + np.float32(one) * margins)
            found = fit_curves(both, true)
            lost = mean_loss(found.probabilities(both), true)
            if lost < loss:
                loss, curves, weight, best, answering = lost, found, one, features, both
    classifier = replace(network, multi_label=curves)
    if weight:
        rows = splits.training.followed_by(held_out)
        model = _linear(rows, splits, tokenizer, best)
        classifier = replace(classifier, blend=Blend(weight=weight, model=model))
    return classifier, _calibration(curves, answering, true)


def _tried(splits: Splits, tokenizer: Tokenizer) -> tuple[LinearFeatures, ...]:
    """The features that are tried: parts of words only where they need no great memory."""
    few = len(tokenizer.encode(splits.training.texts).token_ids) <= MAX_SUBWORD_TOKENS
    return tuple(one for one in _FEATURES if few or not one.subwords)


def _linear(
    rows: LabelledRows, splits: Splits, tokenizer: Tokenizer, features: LinearFeatures
) -> LinearTextModel:
    return fit_linear_text(
        tokenizer.encode(rows.texts),
        label_matrix(rows.labels, splits.labels)[0],
        vocabulary=tokenizer.vocabulary,
        features=features,
    )


def _calibration(curves: MultiLabel, logits: Float32Array, true: BoolArray) -> Calibration:
    """What the curves of all labels changed on the validation rows; the temperature stays 1."""
    plain = MultiLabel(
        curves=tuple(replace(one, scale=1.0, offset=0.0) for one in curves.curves)
    ).probabilities(logits)
    curved = curves.probabilities(logits)
    return Calibration(
        temperature=1.0,
        rows=len(true),
        ece_before=pair_calibration_error(plain, true),
        ece_after=pair_calibration_error(curved, true),
        nll_before=mean_loss(plain, true),
        nll_after=mean_loss(curved, true),
    )


def _baseline(tokenizer: Tokenizer, splits: Splits) -> MultiLabelMetrics:
    """One support vector machine for each label on TF-IDF of words, on the test rows."""
    rows = splits.training.followed_by(splits.validation)
    model = _linear(rows, splits, tokenizer, LinearFeatures())
    margins = model.margins(tokenizer.encode(splits.test.texts))
    true, _ = label_matrix(splits.test.labels, splits.labels)
    return measure_sets(true, margins > 0, splits.labels)


def _card(bundle: Bundle, report: MultiLabelReport) -> str:
    labels = ", ".join(f"`{name}`" for name in bundle.labels)
    found, column = report.test.metrics, bundle.settings.text_column
    score = ("score", "input.parquet", "out.parquet", "--model", ".", "--text-column", column)
    lines = (
        *("---", "library_name: textbatch", "pipeline_tag: text-classification", "---", ""),
        *("# A textbatch model", ""),
        f"Puts any number of {len(bundle.labels)} labels on a text: {labels}.",
        *("", "```", command_line(*score), "```", ""),
        (
            f"Trained on {report.rows['training']:,} rows (preset `{bundle.settings.preset}`), "
            f"stopped early and calibrated on {report.rows['validation']:,}. On {found.rows:,} "
            f"test rows: micro F1 {found.micro_f1:.4f}, macro F1 {found.macro_f1:.4f}; all labels "
            f"of a row are right in {found.subset_accuracy:.1%} of the rows."
        ),
    )
    return "\n".join(lines) + "\n"
