"""The simple models that a network has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from textbatch.data.readers.labelled_rows import label_ids_of
from textbatch.errors import QualityGateError
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.metrics import measure
from textbatch.report.comparison import Contender
from textbatch.training.calibrate import Calibrated
from textbatch.training.linear import choose_linear, fit_linear
from textbatch.training.split.dataset import Splits
from textbatch.types import Float64Array, Int64Array, has_evidence

#: Contenders that are shown, but do not count as baselines.
_NO_BASELINE = ("network alone",)
#: The names of all contenders, in the order in which they are shown.
_CONTENDERS = (
    "majority label",
    "TF-IDF + logistic regression",
    "TF-IDF + linear SVM",
    *_NO_BASELINE,
)


def compare(calibrated: Calibrated, splits: Splits) -> list[Contender]:
    """Measure simple models and the network alone on the test rows.

    The simple models are fitted to all rows but the test rows.

    Args:
        calibrated: The classifier that they are compared with.
        splits: The labelled rows.

    Returns:
        The measures of each.
    """
    classifier = calibrated.classifier
    tokenizer = classifier.tokenizer
    linear = calibrated.linear or choose_linear(splits, tokenizer, calibrated.held_out)
    # They are TF-IDF alone.
    features = replace(linear.features, vectors=False)
    logistic = fit_linear(splits, tokenizer, features, method="logistic")
    if classifier.blend and features == linear.features:
        svm = classifier.blend.model
    else:
        svm = fit_linear(splits, tokenizer, features)
    true, _ = label_ids_of(splits.test.labels, splits.labels)
    known = np.flatnonzero(true >= 0)
    tokens = tokenizer.encode(splits.test.texts)
    training, _ = label_ids_of(splits.training.labels, splits.labels)
    with open_predictor(replace(classifier, blend=None)) as predictor:
        logits, status = predictor.predict_logits(splits.test.texts)
    network = np.where(has_evidence(status), np.nan_to_num(logits).argmax(axis=1), -1)

    predicted: tuple[Int64Array, ...] = (
        np.full(len(true), np.bincount(training).argmax()),
        logistic.margins(tokens).argmax(axis=1),
        svm.margins(tokens).argmax(axis=1),
        network,
    )
    asked = [answers[known] for answers in predicted]
    weights = splits.test.weights_of(true >= 0)
    return contenders_of(true[known], asked, splits.labels, weights)


def contenders_of(
    true: Int64Array,
    predicted: Sequence[Int64Array],
    labels: Sequence[str],
    weights: Float64Array | None = None,
) -> list[Contender]:
    """Measure the answers of the contenders.

    Args:
        true: True label ids. Shape `(rows,)`.
        predicted: The label ids that each answers, in the order of `_CONTENDERS`; -1 for none.
        labels: Names of the ids.
        weights: Of the rows; None if they count the same. Shape `(rows,)`.
    """
    contenders = []
    for name, answers in zip(_CONTENDERS, predicted, strict=True):
        metrics = measure(true, answers, labels, weights=weights)
        contenders.append(
            Contender(name=name, accuracy=metrics.accuracy, macro_f1=metrics.macro_f1)
        )
    return contenders


def check_baselines(
    accuracy: float, contenders: Sequence[Contender], *, required: bool
) -> str | None:
    """Check that no simple model is better; if one is, return a warning.

    Args:
        accuracy: The bundle's accuracy on the test rows.
        contenders: The other models on the same rows.
        required: Whether to fail instead of a warning.

    Raises:
        QualityGateError: A simple model is better, and `required` is set.
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


def worse_on_rare_labels(macro_f1: float, contenders: Sequence[Contender]) -> str | None:
    """A warning if a simple model has a better macro F1, where each label counts the same.

    Args:
        macro_f1: The bundle's macro F1 on the test rows.
        contenders: The other models on the same rows.
    """
    baselines = [one for one in contenders if one.name not in _NO_BASELINE]
    best = max(baselines, key=lambda one: one.macro_f1)
    if macro_f1 >= best.macro_f1:
        return None
    return (
        f"{best.name} has macro F1 {best.macro_f1:.4f} on the test rows, the model {macro_f1:.4f}: "
        "the simple model is better on rare labels; give more rows of these"
    )


def still_falling(best_epoch: int, epochs: int) -> str | None:
    """A warning if the last epoch was the best one, so that more might have been better.

    Args:
        best_epoch: Number of the best epoch.
        epochs: Number of all epochs.
    """
    if epochs < 2 or best_epoch < epochs:
        return None
    return (
        f"the validation loss was still falling in the last of {epochs} epochs: more may be "
        "better, with a larger max_epochs under [fit] in a file of --settings"
    )
