"""The path of `evaluate` for a model that gives a row any number of labels."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from textbatch.data.multi_options import refuse_others
from textbatch.data.readers.label_values import spelled_otherwise
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.data.readers.multi_labels import label_matrix, lists_of
from textbatch.errors import ConflictError, DataError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.predictor import Predictor
from textbatch.model.quality.multi_label import given_labels
from textbatch.model.quality.multi_label_metrics import measure_sets, pair_calibration_error
from textbatch.report.known_rows import known_rows_warning
from textbatch.report.multi_label import MultiLabelEvaluation
from textbatch.scoring.config import EvaluateConfig
from textbatch.scoring.multi_label import MODEL_OPTIONS, READING_OPTIONS, WITH_SUCH_A_MODEL
from textbatch.types import Status, has_evidence

#: The options of `evaluate` that mean the same where rows have several labels.
ALLOWED = (
    MODEL_OPTIONS
    | READING_OPTIONS
    | {"label_column", "label_separator", "skip_unlabelled", "max_bad_rows", "quarantine"}
)


def check_evaluate_options(config: EvaluateConfig, bundle: Bundle) -> None:
    """Refuse options that have no meaning for a model, before rows are read.

    Args:
        config: The options.
        bundle: The model.

    Raises:
        ConflictError: One has none.
    """
    if not bundle.classifier.multi_label and config.label_separator is not None:
        raise ConflictError(
            "--label-separator with a model that gives a text one label", "leave it out"
        )
    if bundle.classifier.multi_label:
        refuse_others(config, ALLOWED, WITH_SUCH_A_MODEL)


def told_of_rows(
    found: MultiLabelEvaluation, config: EvaluateConfig, bundle: Bundle, rows: LabelledRows
) -> MultiLabelEvaluation:
    """Add what is known of the rows and the model.

    Args:
        found: The measures.
        config: The options.
        bundle: The model.
        rows: The rows.
    """
    known = known_rows_warning(
        bundle.measured.training_texts, rows.texts, advice="measure on rows that it has not seen"
    )
    spelled = spelled_otherwise(found.unseen_labels, bundle.labels)
    return replace(
        found,
        input=tuple(map(os.fspath, config.inputs)),
        model=os.fspath(config.model),
        fingerprint=bundle.fingerprint,
        unlabelled=0 if rows.left_out is None else len(rows.left_out),
        unreadable=rows.unreadable,
        warnings=tuple(one for one in (spelled, known) if one),
    )


def evaluate_sets(
    predictor: Predictor,
    rows: LabelledRows,
    *,
    on_rows: Callable[[int], None] = lambda _: None,
) -> MultiLabelEvaluation:
    """Measure a predictor on rows with any number of labels.

    Args:
        predictor: Of a model that gives any number of labels.
        rows: Texts and their labels.
        on_rows: Called with the number of rows that were predicted since its last call.

    Raises:
        DataError: Rows have labels, and the model knows none of them.
    """
    classifier = predictor.classifier
    several = classifier.multi_label
    assert several is not None, "the model gives any number of labels"
    true, unseen = label_matrix(rows.labels, classifier.labels)
    if unseen and not true.any():
        spelled = spelled_otherwise(unseen, classifier.labels)
        raise DataError(
            "no row has a label that the model knows",
            "check --label-column, --label-separator and --model"
            + (f"; {spelled}" if spelled else ""),
        )
    logits, status = predictor.predict_logits(rows.texts, on_rows=on_rows)
    evidence = has_evidence(status)
    probabilities = classifier.probabilities(logits)
    known = {*classifier.labels}
    beyond = np.array([not known.issuperset(names) for names in lists_of(rows.labels)], bool)
    counts = np.bincount(status, minlength=len(Status)).tolist()
    return MultiLabelEvaluation(
        rows=len(rows),
        metrics=measure_sets(
            true,
            given_labels(probabilities, several.thresholds),
            classifier.labels,
            beyond=beyond,
        ),
        ece=pair_calibration_error(probabilities[evidence], true[evidence]),
        statuses={name: n for name, n in zip(Status.names(), counts, strict=True) if n},
        unseen_labels=unseen,
    )
