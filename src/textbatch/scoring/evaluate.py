"""The path of `evaluate`: labelled rows, compared with a bundle's predictions."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textbatch.data.output.label_sets import in_sets
from textbatch.data.output.quarantine import BadRowList
from textbatch.data.readers.class_labels import LabelChoice
from textbatch.data.readers.label_values import respelled, spelled_otherwise, spellings_of
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.labelled_rows import LabelledRows, label_ids_of
from textbatch.data.storage.file_io import new_output
from textbatch.errors import DataError, require_extra
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_model
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.model.quality.calibration import (
    chance_calibration_error,
    expected_calibration_error,
    softmax,
)
from textbatch.model.quality.confidence_limits import measure_limits
from textbatch.model.quality.label_sets import LabelSetMeasure, measure_sets
from textbatch.model.quality.metrics import measure
from textbatch.model.quality.reliability import Answers
from textbatch.report.evaluation import Evaluation, worse_calibration
from textbatch.report.files import job_reported, write_json, write_whole
from textbatch.report.html.evaluation_page import evaluation_page
from textbatch.report.known_rows import known_rows_warning
from textbatch.report.multi_label import MultiLabelEvaluation
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.config import EvaluateConfig
from textbatch.scoring.evaluate_multi import (
    check_evaluate_options,
    evaluate_sets,
    told_of_rows,
)
from textbatch.scoring.label_sets import set_limit
from textbatch.scoring.surest_errors import surest_errors
from textbatch.types import Status, has_evidence


def evaluate(
    config: EvaluateConfig, *, progress: Progress | None = None
) -> Evaluation | MultiLabelEvaluation:
    """Measure a bundle on labelled files.

    Args:
        config: The files, the bundle, and how they are read and run.
        progress: Called as rows are read and predicted.

    Returns:
        The measures.

    Raises:
        MissingExtraError: The extra `train` is not installed.
        PlaceTakenError: Page or report would take the place of an input or of the bundle.
        TextbatchError: A file or the bundle is missing or malformed.
        DataError: No row has a label that the bundle knows.
    """
    require_extra("evaluate", "train")
    with job_reported(config, lambda: {"model": os.fspath(config.model)}):
        found = _evaluate(config, progress)
    if config.report:
        write_json(config.report, found.to_dict())
    return found


def _evaluate(
    config: EvaluateConfig, progress: Progress | None
) -> Evaluation | MultiLabelEvaluation:
    if config.html:
        new_output(config.html).check(stream=True)
    bundle = load_model(config.model, several=True)
    check_evaluate_options(config, bundle)
    several = bundle.classifier.multi_label is not None
    limit = set_limit(bundle, config)
    with step_of(progress, None, step="reading") as step:
        bad = BadRowList(config.quarantine, config.max_bad_rows)
        rows = read_labelled(
            config.inputs,
            config.reading(),
            text_column=config.text_column or bundle.settings.text_column,
            label_column=LabelChoice(
                column=config.label_column,
                naming=config.label_names,
                weight=config.weight_column,
                several=several,
                separator=config.label_separator,
                known=bundle.labels,
            ),
            skip_unlabelled=config.skip_unlabelled,
            on_bad=bad.taker,
            on_read=step.advance,
        )
    bad.write(rows.rows_read)
    if several:
        with (
            open_bundle(bundle, **config.opening()) as predictor,
            step_of(progress, len(rows), step="evaluating") as step,
        ):
            sets = evaluate_sets(predictor, rows, on_rows=step.advance)
        return told_of_rows(sets, config, bundle, rows)
    if config.normalize_labels:
        spellings = spellings_of(dict.fromkeys(bundle.labels, 1))
        rows = replace(rows, labels=respelled(rows.labels, spellings))
    with (
        open_bundle(bundle, **config.opening()) as predictor,
        step_of(progress, len(rows), step="evaluating") as step,
    ):
        found, answers = evaluate_rows(predictor, rows, on_rows=step.advance)
        errors = surest_errors(predictor, answers, rows, config.explain)
    found = replace(
        found,
        label_sets=_sets(config, bundle, answers, limit),
        errors=errors,
        input=tuple(map(os.fspath, config.inputs)),
        model=os.fspath(config.model),
        fingerprint=bundle.fingerprint,
        unlabelled=0 if rows.left_out is None else len(rows.left_out),
        unreadable=rows.unreadable,
        weightless=rows.weightless,
        warnings=_warnings(bundle, found, answers, rows),
    )
    if config.html:
        page = evaluation_page(found, answers, rows, with_texts=config.report_texts)
        write_whole(config.html, page)
    return found


def _sets(
    config: EvaluateConfig, bundle: Bundle, answers: Answers, limit: np.float32 | None
) -> LabelSetMeasure | None:
    if limit is None or config.label_sets is None:
        return None
    return measure_sets(
        in_sets(answers.calibrated, limit),
        answers.true[answers.evidence],
        bundle.labels,
        asked=config.label_sets,
        held_out=len(bundle.held_out.true_probabilities),
    )


def _warnings(
    bundle: Bundle, found: Evaluation, answers: Answers, rows: LabelledRows
) -> tuple[str, ...]:
    measured = bundle.measured
    known = known_rows_warning(
        measured.training_texts, rows.texts, advice="measure on rows that it has not seen"
    )
    worse = measured.test and worse_calibration(
        found.ece_after, measured.test.ece_after, chance_calibration_error(answers.calibrated)
    )
    spelled = spelled_otherwise(found.unseen_labels, bundle.labels)
    return tuple(one for one in (spelled, known, worse) if one)


def evaluate_rows(
    predictor: Predictor,
    rows: LabelledRows,
    *,
    on_rows: Callable[[int], None] = lambda _: None,
) -> tuple[Evaluation, Answers]:
    """Measure a predictor on labelled rows.

    Args:
        predictor: What predicts.
        rows: Texts and their true labels.
        on_rows: Called with the number of rows that were predicted since its last call.

    Returns:
        The measures, and the predictions that were measured.

    Raises:
        DataError: No row has a label that the bundle knows.
    """
    classifier = predictor.classifier
    label_ids, unseen = label_ids_of(rows.labels, classifier.labels)
    known = np.flatnonzero(label_ids >= 0)
    if not len(known):
        spelled = spelled_otherwise(unseen, classifier.labels)
        raise DataError(
            "no row has a label that the model knows",
            "check --label-column and --model" + (f"; {spelled}" if spelled else ""),
        )
    true = label_ids[known]
    logits, status = predictor.predict_logits(rows.texts.take(pa.array(known)), on_rows=on_rows)
    evidence = has_evidence(status)
    answers = Answers(
        positions=known,
        true=true,
        evidence=evidence,
        uncalibrated=softmax(logits[evidence]),
        calibrated=softmax(logits[evidence], classifier.temperature),
        weights=rows.weights_of(known),
    )
    found = measured_answers(answers, status, classifier.labels)
    return replace(found, rows=len(rows), unseen_labels=unseen), answers


def measured_answers(
    answers: Answers, status: NDArray[np.int8], labels: Sequence[str]
) -> Evaluation:
    """Measure answers.

    Args:
        answers: Answers to rows with known labels.
        status: Codes of `Status` of these rows. Shape `(rows,)`.
        labels: The labels, in order.
    """
    true, evidence = answers.true, answers.evidence
    calibrated, weights = answers.calibrated, answers.answered_weights
    counts = np.bincount(status, minlength=len(Status)).tolist()
    return Evaluation(
        rows=len(true),
        weighted=weights is not None,
        metrics=measure(true, answers.predicted, labels, weights=answers.weights),
        ece_before=expected_calibration_error(
            answers.uncalibrated, true[evidence], weights=weights
        ),
        ece_after=expected_calibration_error(calibrated, true[evidence], weights=weights),
        statuses={name: n for name, n in zip(Status.names(), counts, strict=True) if n},
        limits=measure_limits(
            calibrated.max(axis=1, initial=0),
            calibrated.argmax(axis=1) == true[evidence],
            rows=len(true),
        ),
    )
