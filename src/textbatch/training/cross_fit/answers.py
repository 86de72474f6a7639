"""The answers of all folds together, and what they decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from textbatch.data.readers.labelled_rows import LabelledRows, label_ids_of
from textbatch.model.fitting.settings import Epoch
from textbatch.model.linear.blend_weight import fit_blend_weight
from textbatch.model.linear.text_model import LinearFeatures
from textbatch.model.quality.calibration import (
    expected_calibration_error,
    fit_temperature,
    softmax,
)
from textbatch.model.quality.metrics import measure
from textbatch.model.quality.reliability import Answers
from textbatch.report.learning_curve import LearningCurve
from textbatch.report.training import FoldScore
from textbatch.training.cross_fit.fold import FoldAnswers, FoldTask
from textbatch.training.linear import HeldOutRows, LinearChoice
from textbatch.training.long_texts import LongAnswers
from textbatch.training.out_of_fold import OutOfFold
from textbatch.types import Float32Array, Int64Array, has_evidence

_Array = TypeVar("_Array", bound=NDArray[np.generic])


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossFitted:
    """Answers to all rows, each by models that have not seen it.

    Attributes:
        rows: All rows.
        labels: The labels, in the order of the logits.
        folds: Number of the fold that held each row out, from 1. Shape `(rows,)`.
        status: Codes of `Status`. Shape `(rows,)`.
        known: Number of tokens of each row that the vocabulary of its fold has. Shape `(rows,)`.
        logits: The networks'; NaN without evidence. Shape `(rows, labels)`.
        int8_logits: The same in int8; None if the networks cannot use it.
        margins: Of the linear models, by their features. Shape `(rows, labels)` each.
        logistic: Of the logistic regressions. Shape `(rows, labels)`.
        long: The networks' answers to long rows, by the part that was read.
        epochs: What each epoch measured: means over the folds, as far as all folds went.
        best_epochs: The best epoch of each fold.
        curve: How right a linear model of fewer rows is.
    """

    rows: LabelledRows
    labels: tuple[str, ...]
    folds: Int64Array
    status: NDArray[np.int8]
    known: Int64Array
    logits: Float32Array
    int8_logits: Float32Array | None
    margins: dict[LinearFeatures, Float32Array]
    logistic: Float32Array
    long: LongAnswers
    epochs: list[Epoch]
    best_epochs: list[int]
    curve: LearningCurve

    @classmethod
    def of(
        cls,
        rows: LabelledRows,
        labels: tuple[str, ...],
        tasks: Sequence[FoldTask],
        found: Sequence[FoldAnswers],
    ) -> CrossFitted:
        """Put the answers of the folds in the order of the rows.

        Args:
            rows: All rows.
            labels: The labels, in order.
            tasks: The folds, in order.
            found: Their answers, in the same order.
        """
        order = np.argsort(np.concatenate([task.held_out for task in tasks]))

        def joined(parts: Sequence[_Array]) -> _Array:
            return cast("_Array", np.concatenate(parts)[order])

        sizes = [len(one.status) for one in found]
        total = len(rows) if rows.weights is None else rows.weights.sum()
        int8 = [one.int8_logits for one in found if one.int8_logits is not None]
        return cls(
            rows=rows,
            labels=labels,
            folds=np.repeat(np.arange(1, len(found) + 1), sizes)[order],
            status=joined([one.status for one in found]),
            known=joined([one.known for one in found]),
            logits=joined([one.logits for one in found]),
            int8_logits=joined(int8) if len(int8) == len(found) else None,
            margins={
                features: joined([one.margins[features] for one in found])
                for features in found[0].margins
            },
            logistic=joined([one.logistic for one in found]),
            long=_long(tasks, found),
            epochs=_means([one.epochs for one in found]),
            best_epochs=[one.best_epoch for one in found],
            curve=LearningCurve.of(
                [
                    (sum(n for n, _ in each) / len(each), sum(r for _, r in each) / total)
                    for each in zip(*(one.curve for one in found), strict=True)
                ]
            ),
        )

    @property
    def best_epoch(self) -> int:
        """The epoch with the least mean loss."""
        return min(self.epochs, key=lambda epoch: epoch.validation_loss).number

    @property
    def true(self) -> Int64Array:
        """Label ids of the rows. Shape `(rows,)`."""
        return label_ids_of(self.rows.labels, self.labels)[0]

    @property
    def evidence(self) -> NDArray[np.bool_]:
        """Whether each row has a known token. Shape `(rows,)`."""
        return has_evidence(self.status)

    def held_out(self) -> HeldOutRows:
        """The rows as those that decide about linear model and temperature."""
        return HeldOutRows(
            rows=self.rows,
            logits=self.logits,
            folds=self.folds,
            margins=self.margins,
            known=self.known,
        )

    def measured(self, linear: LinearChoice | None) -> tuple[OutOfFold, Answers]:
        """The answers as reports measure them: weight and temperature are of the other folds.

        So no row has a part in what its own answer is made with, except in the choice of features
        and of the epoch.

        Args:
            linear: The chosen linear model; None without one.

        Returns:
            Logits of both models together with the temperature of each fold; and the answers.
        """
        logits = self.logits.copy()
        true, evidence = self.true, self.evidence
        uncalibrated = np.full_like(logits, np.nan)
        calibrated = np.full_like(logits, np.nan)
        scores = []
        for fold in range(1, len(self.best_epochs) + 1):
            here, others = (evidence & (self.folds == fold)), (evidence & (self.folds != fold))
            joined = self.logits
            if linear and linear.weight:
                weight, _ = fit_blend_weight(
                    self.logits[others],
                    linear.margins[others],
                    true[others],
                    self.rows.weights_of(others),
                )
                joined = np.asarray(self.logits + np.float32(weight) * linear.margins)
            temperature = fit_temperature(
                joined[others], true[others], self.rows.weights_of(others)
            ).temperature
            logits[here] = joined[here]
            uncalibrated[here] = softmax(joined[here])
            calibrated[here] = softmax(joined[here], temperature)
            scores.append(self._score(fold, calibrated, temperature))
        out_of_fold = OutOfFold(
            labels=self.labels,
            numbers=np.arange(1, len(self.rows) + 1)
            if self.rows.row_numbers is None
            else self.rows.row_numbers,
            label_ids=true,
            folds=self.folds,
            logits=logits,
            evidence=evidence,
            scores=scores,
        )
        answers = Answers(
            positions=np.arange(len(self.rows)),
            true=true,
            evidence=evidence,
            uncalibrated=uncalibrated[evidence],
            calibrated=calibrated[evidence],
            weights=self.rows.weights,
        )
        return out_of_fold, answers

    def _score(self, fold: int, calibrated: Float32Array, temperature: float) -> FoldScore:
        here = self.folds == fold
        answered = self.evidence[here]
        true, probabilities = self.true[here], calibrated[here][answered]
        predicted = np.full(len(true), -1)
        predicted[answered] = probabilities.argmax(axis=1)
        metrics = measure(true, predicted, self.labels, weights=self.rows.weights_of(here))
        return FoldScore(
            fold=fold,
            rows=len(true),
            accuracy=metrics.accuracy,
            macro_f1=metrics.macro_f1,
            ece=expected_calibration_error(
                probabilities,
                true[answered],
                weights=self.rows.weights_of(here & self.evidence),
            ),
            temperature=temperature,
            best_epoch=self.best_epochs[fold - 1],
        )


def _long(tasks: Sequence[FoldTask], found: Sequence[FoldAnswers]) -> LongAnswers:
    """The answers to long rows, with the positions of the rows among all."""
    some = [one.long for one in found if len(one.long.rows)]
    rows = [task.held_out[one.long.rows] for task, one in zip(tasks, found, strict=True)]
    return LongAnswers(
        rows=np.concatenate(rows),
        logits={
            part: np.concatenate([one.logits[part] for one in some])
            for part in (some[0].logits if some else ())
        },
    )


def _means(histories: Sequence[Sequence[Epoch]]) -> list[Epoch]:
    """Means over the folds of what each epoch measured, as far as all folds went."""
    return [
        Epoch(
            number=together[0].number,
            loss=float(np.mean([one.loss for one in together])),
            accuracy=float(np.mean([one.accuracy for one in together])),
            validation_loss=float(np.mean([one.validation_loss for one in together])),
            validation_accuracy=float(np.mean([one.validation_accuracy for one in together])),
        )
        for together in zip(*histories, strict=False)
    ]
