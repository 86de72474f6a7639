"""Self-training: learning from unlabelled texts, with the labels that a network is sure of.

Scudder 1965; with neural networks Lee 2013, "pseudo-labels".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import softmax
from textbatch.report.training import SelfTrainingRecord
from textbatch.training.calibrate import calibrate
from textbatch.training.fit.augmentation_trial import MARGIN
from textbatch.training.fit.fitted import Fitted
from textbatch.training.fit.network import fit_network
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import Splits
from textbatch.training.unlabelled import unlabelled_of
from textbatch.types import Int64Array, has_evidence

#: How many unlabelled texts are predicted at most, as a multiple of the training rows.
_TEXTS = 2
#: Share of the texts of each predicted label that is learned from: those with the highest
#: confidence. It is the same for each label, or easy labels would replace hard ones.
_SHARE = 0.6


def self_train(
    run: TrainingRun, splits: Splits, first: Fitted
) -> tuple[Fitted, Splits, SelfTrainingRecord]:
    """Predict unlabelled texts, fit a second network to the surest too, and keep the better one.

    The second network is kept if its validation loss is lower by a margin. Validation rows are
    labelled rows only.

    Args:
        run: Tells how to fit, and names the unlabelled texts.
        splits: The labelled rows.
        first: The network that was fitted to them.

    Returns:
        The network to go on with, the rows that it learned from, and the record for the report.

    Raises:
        DataError: A file of texts is malformed.
    """
    known = [rows.texts for rows in (splits.training, splits.validation, splits.test)]
    with run.listener.step("reading unlabelled", unit="texts") as step:
        texts = unlabelled_of(run.config).sample(
            _TEXTS * len(splits.training),
            known=known,
            seed=run.config.seed,
            on_read=step.advance,
        )
    pseudo = _surest(run, splits, first, texts)
    together, second = replace(splits, pseudo=pseudo), first
    if len(pseudo):
        second = fit_network(run, together, first.start)
    least = first.validation_loss * (1 - MARGIN)
    kept = len(pseudo) > 0 and second.validation_loss < least
    record = SelfTrainingRecord(
        texts=len(texts),
        rows=len(pseudo),
        without=first.validation_loss,
        with_rows=second.validation_loss,
        kept=kept,
    )
    run.listener.log(record.line())
    return (second, together, record) if kept else (first, splits, record)


def _surest(run: TrainingRun, splits: Splits, first: Fitted, texts: pa.Array) -> LabelledRows:
    """Return the surest predictions of network and linear model, a share of each label."""
    with run.listener.step("self-training", len(texts), unit="texts") as step:
        classifier = calibrate(
            first.classifier, splits, blend=run.config.blend == "auto"
        ).classifier
        with open_predictor(classifier) as predictor:
            logits, status = predictor.predict_logits(texts, on_rows=step.advance)
    answered = np.flatnonzero(has_evidence(status))
    probabilities = softmax(logits[answered], classifier.temperature)
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    chosen: list[Int64Array] = [
        rows[np.argsort(-confidence[rows], kind="stable")][: int(_SHARE * len(rows))]
        for rows in (np.flatnonzero(predicted == label) for label in range(len(splits.labels)))
    ]
    kept = np.sort(np.concatenate(chosen))
    return LabelledRows(
        texts=texts.take(pa.array(answered[kept])),
        labels=pa.array(splits.labels, splits.training.labels.type).take(pa.array(predicted[kept])),
    )
