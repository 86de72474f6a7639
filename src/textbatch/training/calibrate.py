"""From a fitted network to calibrated probabilities: logits → linear model → temperature."""

from __future__ import annotations

from dataclasses import dataclass, replace

from textbatch.data.readers.labelled_rows import label_ids_of
from textbatch.model.bundle.blend import Blend
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.quality.calibration import Calibration, fit_temperature, softmax
from textbatch.model.vectors.types import WordVectors
from textbatch.training.linear import (
    HeldOutRows,
    LinearChoice,
    choose_linear,
    fit_linear,
    held_out_rows,
)
from textbatch.training.split.dataset import Splits
from textbatch.types import Float32Array, Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """A classifier whose confidences mean what they say.

    Attributes:
        classifier: The network with its temperature; with the linear model too, if it helps on
            held-out rows.
        calibration: How the temperature was found.
        held_out: The rows that decided.
        linear: The best linear model; None if none was looked for.
        probabilities: Calibrated probabilities of the held-out rows with evidence. Shape
            `(answered, labels)`.
        label_ids: True labels of the same rows. Shape `(answered,)`.
    """

    classifier: Classifier
    calibration: Calibration
    held_out: HeldOutRows
    linear: LinearChoice | None
    probabilities: Float32Array
    label_ids: Int64Array

    @property
    def knows_vectors(self) -> bool:
        """Whether the linear model learned from vectors of words."""
        return bool(self.linear and self.linear.features.vectors)


def calibrate(
    classifier: Classifier,
    splits: Splits,
    *,
    blend: bool,
    out_of_fold: HeldOutRows | None = None,
    threads: int | None = None,
    vectors: WordVectors | None = None,
) -> Calibrated:
    """Find the linear model beside the network, and the temperature of both together.

    Args:
        classifier: The network, fitted to the training rows only.
        splits: The labelled rows.
        blend: Whether a linear model may be added to the network.
        out_of_fold: The predictions of a cross-validation, which are used instead of those for the
            validation rows.
        threads: CPU threads; None for as many as there are cores.
        vectors: Vectors of words, that a linear model may learn from; of a cross-validation those
            of `out_of_fold` are used.

    Raises:
        DataError: No held-out row has a known token.
    """
    held_out = out_of_fold or held_out_rows(
        classifier, splits.validation, threads=threads, vectors=vectors
    )
    tokenizer, logits = classifier.tokenizer, held_out.logits
    linear = choose_linear(splits, tokenizer, held_out) if blend else None
    if linear and linear.weight:
        model = fit_linear(splits, tokenizer, linear.features, vectors=held_out.vectors)
        classifier = replace(classifier, blend=Blend(weight=linear.weight, model=model))
        logits = linear.logits
    evidence = held_out.evidence
    label_ids = label_ids_of(held_out.rows.labels, splits.labels)[0][evidence]
    calibration = fit_temperature(logits[evidence], label_ids, held_out.rows.weights_of(evidence))
    return Calibrated(
        classifier=replace(classifier, temperature=calibration.temperature),
        calibration=calibration,
        held_out=held_out,
        linear=linear,
        probabilities=softmax(logits[evidence], calibration.temperature),
        label_ids=label_ids,
    )
