"""The held-out rows of a training, as numbers, which runs are compared with."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from textbatch.data.output.signs import UnknownTokens
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.quality.reference import (
    HeldOutTexts,
    Reference,
    characters_of,
    reference_of_rows,
    unknown_in,
    unknown_tokens,
)
from textbatch.model.quality.reliability import Answers
from textbatch.text.vocabulary import OOV_ID
from textbatch.training.calibrate import Calibrated
from textbatch.training.split.dataset import Splits


def held_out_reference(
    calibrated: Calibrated, splits: Splits, answers: Answers | None
) -> Reference:
    """Describe the held-out rows: both those that chose and the test rows.

    Args:
        calibrated: The classifier, and its answers to the rows that chose.
        splits: The labelled rows.
        answers: Its answers to the test rows; None if there are none but those that chose.
    """
    classifier, held_out = calibrated.classifier, calibrated.held_out
    texts = _texts(held_out.rows.texts, classifier)
    if held_out.known is not None:
        tokens = classifier.tokenizer.encode(held_out.rows.texts)
        texts = replace(texts, unknown=unknown_tokens(tokens.lengths, held_out.known))
    elif held_out.folds is not None:
        # Rows of a cross-validation have made the vocabulary too.
        texts = replace(texts, unknown=UnknownTokens())
    found = reference_of_rows(calibrated.probabilities, calibrated.label_ids, splits.labels, texts)
    if answers is None:
        return found
    tested = splits.test.texts.take(pa.array(answers.positions))
    return found + reference_of_rows(
        answers.calibrated,
        answers.true[answers.evidence],
        splits.labels,
        _texts(tested, classifier),
    )


def _texts(texts: pa.Array, classifier: Classifier) -> HeldOutTexts:
    tokens = classifier.tokenizer.encode(texts)
    return HeldOutTexts(lengths=characters_of(texts), unknown=unknown_in(tokens, OOV_ID))
