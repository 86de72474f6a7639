"""The simple models that a network has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from textbatch.data.readers.labelled import label_ids_of
from textbatch.errors import QualityGateError
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.metrics import measure
from textbatch.report.comparison import Contender
from textbatch.training.calibrate import Calibrated
from textbatch.training.linear import choose_linear, fit_linear
from textbatch.training.split.dataset import Splits
from textbatch.types import Int64Array, has_evidence

#: These are not there to be beaten.
_NO_BASELINE = ("network alone",)


def compare(calibrated: Calibrated, splits: Splits) -> list[Contender]:
    """How simple models and the network alone do on the test rows.

    The simple models are fitted to all rows but the test rows.

    Args:
        calibrated: The classifier that they stand beside.
        splits: The labelled rows.
    """
    classifier = calibrated.classifier
    tokenizer = classifier.tokenizer
    linear = calibrated.linear or choose_linear(splits, tokenizer, calibrated.held_out)
    logistic = fit_linear(splits, tokenizer, linear.features, method="logistic")
    if classifier.blend:
        svm = classifier.blend.model
    else:
        svm = fit_linear(splits, tokenizer, linear.features)
    true, _ = label_ids_of(splits.test.labels, splits.labels)
    known = np.flatnonzero(true >= 0)
    tokens = tokenizer.encode(splits.test.texts)
    training, _ = label_ids_of(splits.training.labels, splits.labels)
    with open_predictor(replace(classifier, blend=None)) as predictor:
        logits, status = predictor.predict_logits(splits.test.texts)
    network = np.where(has_evidence(status), np.nan_to_num(logits).argmax(axis=1), -1)

    def contender(name: str, predicted: Int64Array) -> Contender:
        metrics = measure(true[known], predicted[known], splits.labels)
        return Contender(name=name, accuracy=metrics.accuracy, macro_f1=metrics.macro_f1)

    return [
        contender("majority label", np.full(len(true), np.bincount(training).argmax())),
        contender("TF-IDF + logistic regression", logistic.margins(tokens).argmax(axis=1)),
        contender("TF-IDF + linear SVM", svm.margins(tokens).argmax(axis=1)),
        contender("network alone", network),
    ]


def check_baselines(
    accuracy: float, contenders: Sequence[Contender], *, required: bool
) -> str | None:
    """The honesty gate: a warning where a simple model does better.

    Args:
        accuracy: The bundle's.
        contenders: Of the same test rows.
        required: Whether to fail instead.

    Raises:
        QualityGateError: One does better, and the caller required otherwise.
    """
    baselines = [one for one in contenders if one.name not in _NO_BASELINE]
    best = max(baselines, key=lambda one: one.accuracy)
    if accuracy >= best.accuracy:
        return None
    what = (
        f"{best.name} has accuracy {best.accuracy:.4f} on the test rows, the model {accuracy:.4f}"
    )
    if required:
        raise QualityGateError(what, "use the simple model, or give more rows or --unlabelled")
    return f"{what}: prefer the simple model, or give more rows or --unlabelled texts"
