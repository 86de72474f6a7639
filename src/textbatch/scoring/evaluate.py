"""The evaluation path: labelled rows against a bundle's answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from textbatch.data.choices import InputFormat
from textbatch.data.readers.labelled import LabelledRows, label_ids_of, read_labelled
from textbatch.data.readers.read_options import ReadOptions
from textbatch.errors import DataError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.choices import DeviceName, EngineName, Precision
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.model.quality.calibration import expected_calibration_error, softmax
from textbatch.model.quality.metrics import measure
from textbatch.model.quality.reliability import Answers
from textbatch.report.evaluation import Evaluation
from textbatch.report.files import write_whole
from textbatch.report.html.evaluation_page import check_page, evaluation_page
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.types import Status, has_evidence


def evaluate(
    inputs: Sequence[Path],
    model: Path,
    *,
    text_column: str | None = None,
    label_column: str = "label",
    input_format: InputFormat = "auto",
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    threads: int | None = None,
    precision: Precision = "f32",
    html: Path | None = None,
    report_texts: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure a bundle on labelled files.

    Args:
        inputs: The files.
        model: The bundle's directory.
        text_column: None takes the bundle's own.
        label_column: Column with the true labels.
        input_format: `auto` goes by the files' names.
        engine: See `open_engine`.
        device: See `open_engine`.
        threads: See `open_engine`.
        precision: See `open_engine`.
        html: Write a page with pictures to this file.
        report_texts: Let the page quote the texts of the surest mistakes.
        progress: Told about the rows.

    Raises:
        ConflictError: `html` is one of the inputs, or lies in the bundle.
        TextbatchError: A file or the bundle is missing or malformed.
        DataError: No row has a label that the bundle knows.
    """
    if html:
        check_page(html, inputs, model)
    bundle = load_bundle(model)
    with step_of(progress, None, step="reading") as step:
        rows = read_labelled(
            inputs,
            ReadOptions(input_format=input_format),
            text_column=text_column or bundle.settings.text_column,
            label_column=label_column,
            on_read=step.advance,
        )
    with (
        open_bundle(
            bundle, name=engine, device=device, threads=threads, precision=precision
        ) as predictor,
        step_of(progress, len(rows), step="evaluating") as step,
    ):
        found, answers = evaluate_rows(predictor, rows, on_rows=step.advance)
    found = replace(
        found,
        input=tuple(map(os.fspath, inputs)),
        model=os.fspath(model),
        fingerprint=bundle.fingerprint,
    )
    if html:
        write_whole(html, evaluation_page(found, answers, rows, with_texts=report_texts))
    return found


def evaluate_rows(
    predictor: Predictor,
    rows: LabelledRows,
    *,
    on_rows: Callable[[int], None] = lambda _: None,
) -> tuple[Evaluation, Answers]:
    """Measure a predictor on labelled rows.

    Args:
        predictor: Answers.
        rows: The truth.
        on_rows: Told how many more are done.

    Returns:
        The measures, and the answers that they are of.

    Raises:
        DataError: No row has a label that the bundle knows.
    """
    classifier = predictor.classifier
    label_ids, unseen = label_ids_of(rows.labels, classifier.labels)
    known = np.flatnonzero(label_ids >= 0)
    if not len(known):
        raise DataError(
            "no row has a label that the model knows", "check --label-column and --model"
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
    )
    counts = np.bincount(status, minlength=len(Status)).tolist()
    evaluation = Evaluation(
        rows=len(rows),
        metrics=measure(true, answers.predicted, classifier.labels),
        ece_before=expected_calibration_error(answers.uncalibrated, true[evidence]),
        ece_after=expected_calibration_error(answers.calibrated, true[evidence]),
        statuses={name: n for name, n in zip(Status.names(), counts, strict=True) if n},
        unseen_labels=unseen,
    )
    return evaluation, answers
