"""From a fitted network to a bundle that has been measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from textbatch.data.readers.labelled_rows import label_counts, label_ids_of
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.golden import golden_texts
from textbatch.model.bundle.records import EarlyExit, Golden, Int8Check, Settings
from textbatch.model.network.weights import Weights
from textbatch.model.predictor import Predictor, open_predictor
from textbatch.model.quality.calibration import Calibration
from textbatch.model.quality.novelty import Novelty
from textbatch.model.quality.profile import TrainingProfile, training_profile
from textbatch.model.quality.reference import Reference
from textbatch.model.quality.reliability import Answers
from textbatch.model.quality.thresholds import HeldOut
from textbatch.model.vectors.types import WordVectors
from textbatch.report.comparison import Contender
from textbatch.report.evaluation import Evaluation
from textbatch.report.listener import SILENT, Listener
from textbatch.report.training import LongTextsRecord
from textbatch.scoring.evaluate import evaluate_rows
from textbatch.text.vocabulary import OOV_ID
from textbatch.training.calibrate import Calibrated, calibrate
from textbatch.training.config.train import TrainConfig
from textbatch.training.linear import HeldOutRows
from textbatch.training.long_texts import choose_part, long_answers, reading
from textbatch.training.package.baselines import compare
from textbatch.training.package.held_out import held_out_reference
from textbatch.training.package.novelty import ordinary_texts
from textbatch.training.package.shortcuts import find_shortcuts
from textbatch.training.split.dataset import Splits
from textbatch.types import has_evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A calibrated classifier and its measures.

    Attributes:
        classifier: The network with its temperature, and with the linear model if there is one.
        calibration: How the temperature was found.
        held_out: Predictions for held-out rows, from which thresholds are made.
        profile: Statistics of the training texts and of the predictions for them.
        reference: Statistics of the held-out texts and of the answers to them.
        golden: Made-up texts and their predictions.
        int8: What int8 changes; None if the network cannot use it.
        early_exit: Which rows the linear model may answer alone; None for no row.
        novelty: What ordinary texts are like; None where there were too few held-out rows.
        test: Measures on the test rows, with the engine that `score` uses.
        answers: The predictions for the test rows.
        contenders: How simple models and the network alone do on the test rows.
        knows_vectors: Whether the linear model learned from vectors of words.
    """

    classifier: Classifier
    calibration: Calibration
    held_out: HeldOut
    profile: TrainingProfile
    reference: Reference
    golden: Golden
    int8: Int8Check | None
    early_exit: EarlyExit | None
    test: Evaluation
    answers: Answers
    contenders: list[Contender]
    knows_vectors: bool = False
    novelty: Novelty | None = None
    long_texts: LongTextsRecord | None = None

    @property
    def blend_weight(self) -> float:
        """Weight of the linear model beside the network; 0 without one."""
        return self.classifier.blend.weight if self.classifier.blend else 0.0

    def bundle(self, settings: Settings, metrics: Mapping[str, object]) -> Bundle:
        """Make the bundle.

        Args:
            settings: The settings for `config.json`.
            metrics: What training measured, as JSON values.
        """
        return Bundle(
            classifier=self.classifier,
            settings=settings,
            calibration=self.calibration,
            held_out=self.held_out,
            profile=self.profile,
            golden=self.golden,
            int8=self.int8,
            early_exit=self.early_exit,
            novelty=self.novelty,
            reference=self.reference,
            metrics=metrics,
        )


def measure_classifier(
    classifier: Classifier,
    splits: Splits,
    config: TrainConfig,
    *,
    refitted: Weights | None = None,
    out_of_fold: HeldOutRows | None = None,
    vectors: WordVectors | None = None,
    listener: Listener = SILENT,
) -> Measured:
    """Calibrate a network, measure it on the test rows, and make its profile and golden rows.

    Everything uses the engine that `score` uses, so that users get the same numbers.

    Args:
        classifier: The network, fitted to the training rows only. Its predictions decide about
            linear model, temperature and thresholds.
        splits: The labelled rows.
        config: Tells whether a linear model may be added, and gives the seed of the golden texts.
        refitted: Weights fitted to training and validation rows, which the bundle gets instead.
        out_of_fold: The predictions of a cross-validation, which are used instead of those for the
            validation rows.
        vectors: Vectors of words, that a linear model may learn from; None without any.
        listener: Gets the progress.

    Returns:
        The classifier and its measures.

    Raises:
        DataError: No held-out row, or no test row, has a known token.
    """
    with listener.step("fitting simple models"):
        calibrated = calibrate(
            classifier,
            splits,
            blend=config.blend == "auto",
            out_of_fold=out_of_fold and replace(out_of_fold, vectors=vectors),
            vectors=vectors,
        )
        if calibrated.linear and (told := calibrated.linear.told()):
            listener.log(told)
        if refitted:
            answering = replace(calibrated.classifier, weights=refitted)
            calibrated = replace(calibrated, classifier=answering)
        contenders = compare(calibrated, splits)
        shortcuts = find_shortcuts(calibrated.classifier, calibrated, splits, seed=config.seed)
    classifier, long_texts = shortcuts.classifier, None
    if config.on_long != "auto":
        classifier = replace(classifier, on_long=config.on_long)
    elif long_texts := _long_texts(classifier, splits):
        classifier = reading(classifier, long_texts)
    with open_predictor(classifier) as predictor:
        with listener.step("testing", len(splits.test)) as step:
            test, answers = evaluate_rows(predictor, splits.test, on_rows=step.advance)
        golden = golden_of(predictor, config.seed)
    return Measured(
        classifier=classifier,
        calibration=calibrated.calibration,
        held_out=HeldOut.of(calibrated.probabilities, calibrated.label_ids),
        profile=profile_of(calibrated, splits),
        reference=held_out_reference(calibrated, splits, answers),
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


def _long_texts(classifier: Classifier, splits: Splits) -> LongTextsRecord | None:
    held_out = splits.validation
    with open_predictor(classifier) as predictor:
        long = long_answers(predictor, held_out.texts)
        if not len(long.rows):
            return None
        logits, _ = predictor.predict_logits(held_out.texts)
    true, _ = label_ids_of(held_out.labels, splits.labels)
    return choose_part(logits, long, true, classifier.tokenizer.max_sequence_length)


def profile_of(calibrated: Calibrated, splits: Splits) -> TrainingProfile:
    """Describe the training texts and the answers to held-out ones.

    Args:
        calibrated: The answers to held-out rows.
        splits: The labelled rows.
    """
    return training_profile(
        calibrated.classifier.tokenizer.encode(splits.training.texts),
        labels=label_counts(splits.training),
        confidences=calibrated.probabilities.max(axis=1),
        oov_id=OOV_ID,
    )


def golden_of(predictor: Predictor, seed: int) -> Golden:
    """Make golden rows: made-up texts with the answers of the finished model.

    Args:
        predictor: The model.
        seed: Of the texts.
    """
    classifier = predictor.classifier
    length = classifier.architecture.max_sequence_length
    texts = golden_texts(
        classifier.vocabulary,
        max_sequence_length=length,
        seed=seed,
        between=classifier.text.between if classifier.text else " ",
    )
    predictions = predictor.predict(pa.array(texts, pa.large_string()))
    answered = np.flatnonzero(has_evidence(predictions.status))
    return Golden(
        texts=[texts[row] for row in answered],
        probabilities=predictions.probabilities[answered].tolist(),
    )
