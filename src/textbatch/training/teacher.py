"""Knowledge distillation: rows teach what another model answers to them, beside their own labels.

Hinton, Vinyals and Dean 2015, at temperature 1: the answers of a bundle are calibrated.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from textbatch.data.readers.label_shares import certain, mixed_shares, shares_of_vectors
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.data.storage.location import Location
from textbatch.errors import ConflictError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_model
from textbatch.model.predictor import open_bundle
from textbatch.model.quality.calibration import softmax
from textbatch.report.listener import Listener
from textbatch.training.split.dataset import Splits
from textbatch.types import has_evidence

#: What the teacher's answer counts beside a row's own label.
_SHARE = 0.5


def taught(splits: Splits, place: Location, listener: Listener) -> tuple[Splits, str]:
    """Let the training rows teach the answers of a bundle too.

    Args:
        splits: The labelled rows. Rows that measure keep their labels.
        place: The bundle.
        listener: Gets the progress, and how many labels the teacher lacks.

    Returns:
        The rows, and the fingerprint of the bundle.

    Raises:
        BundleError: The bundle is missing, damaged or unsafe.
        ConflictError: It knows none of the labels.
    """
    teacher = load_model(place)
    known = [label for label in splits.labels if label in teacher.labels]
    if not known:
        raise ConflictError(
            "the model of --teacher knows none of the labels of the rows",
            "name one of the same labels",
        )
    if lacking := len(splits.labels) - len(known):
        listener.log(f"the teacher lacks {lacking:,} of {len(splits.labels):,} labels")
    training = _with_answers(teacher, splits.training, listener)
    return replace(splits, training=training), teacher.fingerprint


def _with_answers(teacher: Bundle, rows: LabelledRows, listener: Listener) -> LabelledRows:
    with (
        listener.step("asking the teacher", len(rows)) as step,
        open_bundle(teacher) as predictor,
    ):
        logits, status = predictor.predict_logits(rows.texts, on_rows=step.advance)
    answered = has_evidence(status)
    probabilities = softmax(logits, teacher.classifier.temperature)
    # Without evidence a row has its own label alone.
    own = certain(rows.labels) if rows.shares is None else rows.shares
    probabilities[~answered] = 0
    answers = shares_of_vectors(probabilities, teacher.labels)
    return replace(rows, shares=mixed_shares(own, answers, np.where(answered, _SHARE, 0.0)))
