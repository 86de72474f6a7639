"""What the answers of the folds tell about the model of all rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from textbatch.model.bundle.classifier import Classifier
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.thresholds import HeldOut
from textbatch.model.vectors.types import WordVectors
from textbatch.report.comparison import Contender
from textbatch.report.listener import SILENT, Listener
from textbatch.scoring.evaluate import evaluate_rows, measured_answers
from textbatch.training.calibrate import Calibrated, calibrate
from textbatch.training.config.train import TrainConfig
from textbatch.training.cross_fit.answers import CrossFitted
from textbatch.training.cross_fit.fold import PAIRS
from textbatch.training.long_texts import choose_part, reading
from textbatch.training.out_of_fold import OutOfFold
from textbatch.training.package.assemble import Measured, golden_of, profile_of
from textbatch.training.package.baselines import compare, contenders_of
from textbatch.training.package.held_out import held_out_reference
from textbatch.training.package.novelty import ordinary_texts
from textbatch.training.package.shortcuts import Rounding, Unseen, find_shortcuts
from textbatch.training.split.dataset import Splits
from textbatch.types import Int64Array


def measure_cross_fitted(
    classifier: Classifier,
    found: CrossFitted,
    splits: Splits,
    config: TrainConfig,
    *,
    vectors: WordVectors | None = None,
    listener: Listener = SILENT,
) -> tuple[Measured, OutOfFold]:
    """Calibrate a network of all rows by the answers of the folds, and measure it.

    The measures are those of the answers of the folds; with a test file, those of the model on its
    rows.

    Args:
        classifier: The network, fitted to all rows.
        found: The answers of the folds.
        splits: All rows are training rows.
        config: Tells whether a linear model may be added, whether there is a test file, and gives
            the seed of the golden texts.
        vectors: Vectors of words, that the linear models of the folds could learn from.
        listener: Gets the progress.

    Returns:
        The classifier and its measures; and the answers of the folds, calibrated.

    Raises:
        DataError: No row has a known token.
    """
    with listener.step("fitting simple models"):
        calibrated = calibrate(
            classifier,
            splits,
            blend=config.blend == "auto",
            out_of_fold=replace(found.held_out(), vectors=vectors),
        )
        if calibrated.linear and (told := calibrated.linear.told()):
            listener.log(told)
        shortcuts = find_shortcuts(
            calibrated.classifier,
            calibrated,
            splits,
            seed=config.seed,
            unseen=_unseen(found, calibrated),
        )
        out_of_fold, answers = found.measured(calibrated.linear)
        contenders = compare(calibrated, splits) if config.test else _contenders(found, calibrated)
    classifier, long_texts = shortcuts.classifier, None
    if config.on_long != "auto":
        classifier = replace(classifier, on_long=config.on_long)
    elif long_texts := choose_part(
        found.logits, found.long, found.true, classifier.tokenizer.max_sequence_length
    ):
        classifier = reading(classifier, long_texts)
    with open_predictor(classifier) as predictor:
        if config.test:
            with listener.step("testing", len(splits.test)) as step:
                test, answers = evaluate_rows(predictor, splits.test, on_rows=step.advance)
        else:
            test = measured_answers(answers, found.status, splits.labels)
        golden = golden_of(predictor, config.seed)
    measured = Measured(
        classifier=classifier,
        calibration=calibrated.calibration,
        held_out=HeldOut.of(calibrated.probabilities, calibrated.label_ids),
        profile=profile_of(calibrated, splits),
        reference=held_out_reference(calibrated, splits, answers if config.test else None),
        golden=golden,
        int8=shortcuts.int8,
        early_exit=shortcuts.early_exit,
        test=test,
        answers=answers,
        contenders=contenders,
        novelty=ordinary_texts(calibrated),
        knows_vectors=calibrated.knows_vectors,
        long_texts=long_texts,
    )
    return measured, out_of_fold


def _unseen(found: CrossFitted, calibrated: Calibrated) -> Unseen:
    """The rows with evidence, answered by the models of their folds."""
    evidence, linear = found.evidence, calibrated.linear
    margins = linear.margins[evidence] if linear else None
    added = np.float32(linear.weight) * margins if linear and margins is not None else 0.0
    exact, rounding = np.asarray(found.logits[evidence] + added), None
    if found.int8_logits is not None:
        int8 = np.asarray(found.int8_logits[evidence] + added)
        rounding = Rounding(exact=exact, int8=int8, margins=margins)
    return Unseen(logits=exact, margins=margins, rounding=rounding)


def _contenders(found: CrossFitted, calibrated: Calibrated) -> list[Contender]:
    """The simple models and the network alone, by the answers of the folds."""
    true = found.true
    best = calibrated.linear.features if calibrated.linear else PAIRS
    # The baseline is TF-IDF alone.
    linear = found.margins.get(replace(best, vectors=False), found.logistic)
    network = np.where(found.evidence, np.nan_to_num(found.logits).argmax(axis=1), -1)
    predicted: tuple[Int64Array, ...] = (
        np.full(len(true), np.bincount(true).argmax()),
        found.logistic.argmax(axis=1),
        linear.argmax(axis=1),
        network,
    )
    return contenders_of(true, predicted, found.labels, found.rows.weights)
