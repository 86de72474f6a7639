"""Two models on the same labelled rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from textbatch.data.readers.label_values import respelled, spellings_of
from textbatch.data.readers.labelled_rows import LabelledRows, label_ids_of
from textbatch.errors import DataError, QualityGateError, UsageError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.predictor import Predictor
from textbatch.model.quality.calibration import expected_calibration_error, softmax
from textbatch.model.quality.metrics import measure
from textbatch.model.quality.paired import paired_difference
from textbatch.report.promotion import Checked, Comparison, ModelMeasures
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.releases.requirement import Requirement
from textbatch.types import Float32Array, Int64Array, has_evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredModel:
    """A model that was measured.

    Attributes:
        measures: What it showed.
        right: Whether each row got its label. Shape `(rows,)`.
        predicted: Predicted labels, as positions in the labels of both; -1 without evidence. Shape
            `(rows,)`.
        confidences: Their confidences; NaN without evidence. Shape `(rows,)`.
        status: Codes of `Status`. Shape `(rows,)`.
    """

    measures: ModelMeasures
    right: NDArray[np.bool_]
    predicted: Int64Array
    confidences: Float32Array
    status: NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonRows:
    """The rows that two models are measured on.

    Attributes:
        rows: Those with a label that one of them knows.
        labels: The labels of both, each once.
        true: True labels, as positions in `labels`. Shape `(rows,)`.
        unseen: Rows that were left out, by their label.
    """

    rows: LabelledRows
    labels: tuple[str, ...]
    true: Int64Array
    unseen: dict[str, int]

    @classmethod
    def of(cls, rows: LabelledRows, *bundles: Bundle) -> CommonRows:
        """Choose them.

        Args:
            rows: All rows that were read.
            bundles: The models.

        Raises:
            DataError: No row has a label that a model knows.
        """
        labels = tuple(dict.fromkeys(label for one in bundles for label in one.labels))
        ids, unseen = label_ids_of(rows.labels, labels)
        known = np.flatnonzero(ids >= 0)
        if not len(known):
            raise DataError("no row has a label that a model knows", "check --label-column")
        taken = rows if len(known) == len(rows) else rows.take(known)
        return cls(rows=taken, labels=labels, true=ids[known], unseen=dict(unseen))

    def measured(self, predictor: Predictor, fingerprint: str, progress: Progress) -> MeasuredModel:
        """Measure a model.

        Args:
            predictor: The model.
            fingerprint: Its fingerprint.
            progress: Called as rows are predicted.
        """
        classifier = predictor.classifier
        with step_of(progress, len(self.rows), step="evaluating") as step:
            logits, status = predictor.predict_logits(self.rows.texts, on_rows=step.advance)
        evidence = has_evidence(status)
        probabilities = softmax(logits[evidence], classifier.temperature)
        # From its own labels to those of both.
        position = {label: index for index, label in enumerate(self.labels)}
        common = np.array([position[label] for label in classifier.labels])
        predicted = np.full(len(self.true), -1)
        predicted[evidence] = common[probabilities.argmax(axis=1)]
        confidences = np.full(len(self.true), np.nan, np.float32)
        confidences[evidence] = probabilities.max(axis=1, initial=0)
        own = np.full(len(self.labels), -1)
        own[common] = np.arange(len(common))
        metrics = measure(self.true, predicted, self.labels)
        return MeasuredModel(
            measures=ModelMeasures(
                fingerprint=fingerprint,
                accuracy=metrics.accuracy,
                macro_f1=metrics.macro_f1,
                ece=expected_calibration_error(probabilities, own[self.true[evidence]]),
                answered=float(evidence.mean()),
                labels=tuple(metrics.labels),
            ),
            right=predicted == self.true,
            predicted=predicted,
            confidences=confidences,
            status=status,
        )


def compared(new: MeasuredModel, current: MeasuredModel) -> Comparison:
    """Compare two models row by row; see `paired_difference`.

    Args:
        new: The new model.
        current: The current one.
    """
    return comparison_of(
        both_right=int((new.right & current.right).sum()),
        only_new_right=int((new.right & ~current.right).sum()),
        only_current_right=int((~new.right & current.right).sum()),
        both_wrong=int((~new.right & ~current.right).sum()),
    )


def comparison_of(
    *, both_right: int, only_new_right: int, only_current_right: int, both_wrong: int
) -> Comparison:
    """Compare two models by how many rows each of them answers rightly; see `paired_difference`.

    Args:
        both_right: Rows that both answer rightly.
        only_new_right: Rows that only the new one answers rightly.
        only_current_right: Rows that only the current one answers rightly.
        both_wrong: Rows that both answer wrongly.
    """
    rows = both_right + only_new_right + only_current_right + both_wrong
    found = paired_difference(only_new_right, only_current_right, rows=rows)
    return Comparison(
        both_right=both_right,
        only_new_right=only_new_right,
        only_current_right=only_current_right,
        both_wrong=both_wrong,
        difference=found.difference,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
    )


def check_labels(requirements: Sequence[Requirement], *bundles: Bundle) -> None:
    """Check that each requirement is about a label that there is, before anything is read.

    Args:
        requirements: The requirements.
        bundles: The models.

    Raises:
        UsageError: No model has such a label.
    """
    known = {label for one in bundles for label in one.labels}
    for one in requirements:
        if one.measure.label is not None and one.measure.label not in known:
            raise UsageError(
                f"--require {one.text!r}: no model has this label", "see `textbatch inspect`"
            )


def checked(
    requirements: Sequence[Requirement], new: ModelMeasures, current: ModelMeasures | None
) -> tuple[Checked, ...]:
    """Compare the new model with the bounds.

    Args:
        requirements: The requirements.
        new: Measures of the new model.
        current: Measures of the current one; None if there is none.
    """
    found = []
    for one in requirements:
        measured = (one.measure.name, one.measure.label)
        value = new.value(*measured)
        bound = one.bound(current.value(*measured) if current else None)
        met: bool | None = None
        if bound is not None:
            met = one.is_met(value, bound)
        elif current is not None:  # it has a current model, which has no such measure
            met = value is not None
        found.append(Checked(requirement=one.text, value=value, bound=bound, met=met))
    return tuple(found)


def check_met(requirements: Sequence[Checked]) -> None:
    """Refuse a model that does not reach what it must.

    Raises:
        QualityGateError: A requirement is not met. All of them are named.
    """
    failed = [one for one in requirements if one.met is False]
    if failed:
        told = "; ".join(
            f"{one.requirement}: it is {_shown(one.value)}, and {_shown(one.bound)} is the bound"
            for one in failed
        )
        raise QualityGateError(
            f"the new model is not promoted: {told}", "train a better one, or ask for less"
        )


def respelled_like(rows: LabelledRows, *bundles: Bundle) -> LabelledRows:
    """Rows whose labels are spelled as the models spell them.

    Args:
        rows: The rows.
        bundles: The models; the first one counts first.
    """
    labels = dict.fromkeys((label for one in bundles for label in one.labels), 1)
    return replace(rows, labels=respelled(rows.labels, spellings_of(labels)))


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
