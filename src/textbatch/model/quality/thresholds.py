"""How high the confidence in a label must be so that the label is right often enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from textbatch.data.strict_json import Share
from textbatch.errors import QualityGateError
from textbatch.types import BoolArray, Float32Array, Int64Array

#: The lower bound on a precision holds with this probability, for each label by itself.
_CERTAINTY = 0.95
#: The threshold of a label that is always withheld.
_NEVER = 2.0
#: What to do where held-out answers do not show a precision.
REMEDY = (
    "train with more rows, and not on one split, lower --min-precision, or use --min-confidence"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Answers to held-out rows, by predicted label. It holds no texts.

    Attributes:
        confidences: Calibrated confidences: for each label a list in descending order.
        correct: Whether each of these answers is right.
        true_probabilities: Calibrated probabilities of the true labels of the same rows, in
            descending order; empty in a model that was trained before they were kept.
    """

    confidences: list[list[Share]]
    correct: list[list[bool]]
    true_probabilities: list[Share] = field(default_factory=list)

    @classmethod
    def of(cls, probabilities: Float32Array, label_ids: Int64Array) -> HeldOut:
        """Sort answers by predicted label.

        Args:
            probabilities: Calibrated probabilities. Shape `(rows, labels)`.
            label_ids: True labels. Shape `(rows,)`.
        """
        confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
        order = np.argsort(-confidence, kind="stable")
        confidences, correct = [], []
        for label in range(probabilities.shape[1]):
            rows = order[predicted[order] == label]
            confidences.append(confidence[rows].tolist())
            correct.append((label_ids[rows] == label).tolist())
        of_true = probabilities[np.arange(len(label_ids)), label_ids]
        return cls(
            confidences=confidences,
            correct=correct,
            true_probabilities=np.sort(of_true)[::-1].tolist(),
        )


def thresholds(
    held_out: HeldOut, labels: Sequence[str], precision: float, *, strict: bool = False
) -> Float32Array:
    """Find for each label the lowest confidence from which on its precision is high enough.

    The held-out answers above a threshold show, with 95 % certainty, that the true precision is at
    least `precision` (one-sided bound of Clopper and Pearson 1934). If no threshold shows it, the
    label is always withheld.

    Args:
        held_out: Held-out answers of the bundle.
        labels: Names of the labels, in the order of the held-out answers.
        precision: Above 0, below 1.
        strict: Whether to refuse labels that have too few answers, instead of withholding them.

    Returns:
        Thresholds. A value above 1 means that the label is always withheld. Shape `(labels,)`.

    Raises:
        QualityGateError: A label has so few answers that they show nothing, even if all are right,
            and `strict` is set.
    """
    needed = answers_needed(precision)
    few = [len(answers) < needed for answers in held_out.confidences]
    if strict and any(few):
        raise QualityGateError(
            f"{sum(few)} of {len(labels)} labels have fewer than {needed} held-out answers, too "
            f"few to support a precision of {precision:g}",
            REMEDY,
        )
    found = [
        _NEVER if too_few else _threshold(np.array(confidences), np.array(correct), precision)
        for too_few, confidences, correct in zip(
            few, held_out.confidences, held_out.correct, strict=True
        )
    ]
    return np.array(found, np.float32)


def answers_needed(precision: float) -> int:
    """How many held-out answers a label needs, if all are right, to show a precision.

    Args:
        precision: Above 0, below 1.
    """
    return math.ceil(math.log(1 - _CERTAINTY) / math.log(precision))


def always_withheld(found: Float32Array, labels: Sequence[str]) -> tuple[str, ...]:
    """The labels that no confidence lets through.

    Args:
        found: Thresholds. Shape `(labels,)`.
        labels: Names of the labels, in the same order.
    """
    return tuple(
        label for label, threshold in zip(labels, found, strict=True) if threshold >= _NEVER
    )


def _threshold(confidences: Float32Array, correct: Int64Array, precision: float) -> float:
    # Answers with equal confidence are above a threshold or below it together. So only the last
    # of them may set the threshold.
    last = np.append(confidences[1:] < confidences[:-1], True)
    enough = np.flatnonzero(_shown(correct, precision) & last)
    return float(confidences[enough[-1]]) if len(enough) else _NEVER


def _shown(correct: Int64Array, precision: float) -> BoolArray:
    """Where the answers so far show a precision: Clopper and Pearson's bound is not below it.

    That is where so many right answers, or more, would come with a probability of at most
    `1 - _CERTAINTY` if the precision were no higher. The probability is brought up to date with
    each answer, because `score` must do without scipy.

    Args:
        correct: Whether each answer is right. Shape `(answers,)`.
        precision: Above 0, below 1.

    Returns:
        Shape `(answers,)`.
    """
    shown = np.zeros(len(correct), bool)
    right, at_least = 0, 1.0
    for before, is_right in enumerate(correct.tolist()):
        # Of `before` answers: the binomial probability of exactly so many right ones.
        if is_right:
            at_least -= (1 - precision) * _binomial(right, before, precision)
            right += 1
        elif right:
            at_least += precision * _binomial(right - 1, before, precision)
        shown[before] = at_least <= 1 - _CERTAINTY
    return shown


def _binomial(right: int, answers: int, precision: float) -> float:
    ways = math.lgamma(answers + 1) - math.lgamma(right + 1) - math.lgamma(answers - right + 1)
    return math.exp(ways + right * math.log(precision) + (answers - right) * math.log1p(-precision))
