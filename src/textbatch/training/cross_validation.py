"""Cross-validation: every row is answered by a network that has not seen it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pyarrow as pa
from joblib.externals.loky import get_reusable_executor
from numpy.typing import NDArray

from textbatch.data.readers.labelled import LabelledRows, label_ids_of
from textbatch.data.storage.file_io import new_output
from textbatch.errors import DataError
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.network.keras_backend import limit_threads
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import expected_calibration_error, softmax
from textbatch.model.quality.metrics import measure
from textbatch.report.terminal.pace import span
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.training.calibrate import calibrate
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.fitted import Learned
from textbatch.training.out_of_fold import FoldScore, OutOfFold
from textbatch.training.split.dataset import VALIDATION_SHARE, Parts
from textbatch.training.split.near_duplicates import text_groups
from textbatch.training.split.stratified import fold_numbers, split_rows
from textbatch.types import BoolArray, Float32Array, Int64Array, has_evidence

#: Fits a network to the training part and stops early by the validation part.
Learn = Callable[[Parts], Learned]

_ROWS = "give more rows with different texts, or fewer --folds"


def rows_to_fold(parts: Parts, *, validation_given: bool) -> LabelledRows:
    """The rows of the inputs but for the test rows, in the inputs' order.

    Args:
        parts: As split.
        validation_given: The validation rows have a file of their own, so they stay out.
    """
    training, validation = parts.training, parts.validation
    if validation_given or training.row_numbers is None or validation.row_numbers is None:
        return training
    numbers = np.concatenate([training.row_numbers, validation.row_numbers])
    both = LabelledRows(
        texts=pa.concat_arrays([training.texts, validation.texts]),
        labels=pa.concat_arrays([training.labels, validation.labels]),
        row_numbers=numbers,
    )
    return both.take(np.argsort(numbers))


def check_out_of_fold(config: TrainConfig) -> Path | None:
    """Where the answers of the cross-validation go: beside the model unless said otherwise.

    Raises:
        OutputError: There is such a file, and it may not be replaced, or no directory for it.
        AccessError: The directory is not writable.
    """
    if not config.folds:
        return None
    model = config.model.resolve()
    path = config.out_of_fold or model.with_name(f"{model.name}.out-of-fold.parquet")
    new_output(path).check(overwrite=config.if_exists == "replace")
    return path


def cross_validate(
    rows: LabelledRows,
    labels: tuple[str, ...],
    learn: Learn,
    *,
    folds: int,
    jobs: int | None = None,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> OutOfFold:
    """Train on all folds but one, answer that one; for each, in processes of their own.

    Folds are stratified by label, and near duplicates stay in one fold. Within the other folds a
    tenth is kept aside to stop early and to fit the temperature, so that the held-out rows
    decide nothing.

    Args:
        rows: With a word in each text.
        labels: All that occur.
        learn: Fits a network; it travels to other processes.
        folds: How many.
        jobs: Folds at a time; None for as many as there are cores, which they share.
        seed: Of the folds.
        say: Called with a line per fold.
        progress: Told about the folds.

    Raises:
        DataError: There are fewer different texts than folds, or too few to stop early with.
    """
    groups, _ = text_groups(rows.texts, [])
    if len(np.unique(groups)) < folds:
        raise DataError(f"{len(np.unique(groups)):,} different texts make no {folds} folds", _ROWS)
    label_ids, _ = label_ids_of(rows.labels, labels)
    number = fold_numbers(groups, label_ids, folds=folds, seed=seed)
    cores = joblib.cpu_count()
    jobs = min(jobs or cores, folds)
    threads = max(1, cores // jobs)
    tasks = [
        joblib.delayed(_answer_fold)(
            learn, _fold_parts(rows, labels, label_ids, groups, number == fold, seed), fold, threads
        )
        for fold in range(folds)
    ]
    logits = np.full((len(rows), len(labels)), np.nan, np.float32)
    status = np.zeros(len(rows), np.int8)
    scores: dict[int, FoldScore] = {}
    started = time.monotonic()
    try:
        with (
            step_of(progress, folds, step="cross-validation", unit="folds") as step,
            joblib.parallel_config("loky", n_jobs=jobs, inner_max_num_threads=threads),
        ):
            for score, answers, states in joblib.Parallel(return_as="generator_unordered")(tasks):
                held_out = number == score.fold - 1
                logits[held_out], status[held_out] = answers, states
                scores[score.fold] = score
                step.advance(1)
                done = len(scores)
                left = (time.monotonic() - started) / done * (folds - done)
                say(score.line(folds) + (f"; about {span(left)} left" if done < folds else ""))
    finally:
        # Idle workers would hold the memory of TensorFlow while the final model is trained.
        if jobs > 1:
            get_reusable_executor().shutdown(wait=True, kill_workers=True)
    numbers = np.arange(1, len(rows) + 1) if rows.row_numbers is None else rows.row_numbers
    return OutOfFold(
        labels=labels,
        numbers=numbers,
        label_ids=label_ids,
        folds=number + 1,
        logits=logits,
        evidence=has_evidence(status),
        scores=[scores[fold + 1] for fold in range(folds)],
    )


def _fold_parts(
    rows: LabelledRows,
    labels: tuple[str, ...],
    label_ids: Int64Array,
    groups: Int64Array,
    held_out: BoolArray,
    seed: int,
) -> Parts:
    """One fold to answer, the others to learn from and to stop early with."""
    kept = np.flatnonzero(~held_out)
    shares = [1.0 - VALIDATION_SHARE, VALIDATION_SHARE]
    training, validation = split_rows(groups[kept], label_ids[kept], shares=shares, seed=seed)
    if not len(validation):
        raise DataError("no row is left for early stopping in a fold", _ROWS)
    return Parts(
        training=rows.take(kept[training]),
        validation=rows.take(kept[validation]),
        test=rows.take(np.flatnonzero(held_out)),
        labels=labels,
        warnings=[],
    )


def _answer_fold(
    learn: Learn, parts: Parts, fold: int, threads: int
) -> tuple[FoldScore, Float32Array, NDArray[np.int8]]:
    """Score, uncalibrated logits `(rows, labels)` and status codes `(rows,)` of one fold."""
    limit_threads(threads)
    learned = learn(parts)
    network = Classifier(
        architecture=learned.architecture,
        vocabulary=learned.tokenizer.vocabulary,
        labels=parts.labels,
        weights=learned.weights,
    )
    classifier = calibrate(network, parts, blend=False, threads=threads).classifier
    with open_predictor(classifier, threads=threads) as predictor:
        logits, status = predictor.predict_logits(parts.test.texts)
    evidence = has_evidence(status)
    true, _ = label_ids_of(parts.test.labels, parts.labels)
    probabilities = softmax(logits[evidence], classifier.temperature)
    predicted = np.full(len(true), -1)
    predicted[evidence] = probabilities.argmax(axis=1)
    metrics = measure(true, predicted, parts.labels)
    score = FoldScore(
        fold=fold + 1,
        rows=len(true),
        accuracy=metrics.accuracy,
        macro_f1=metrics.macro_f1,
        ece=expected_calibration_error(probabilities, true[evidence]),
        temperature=classifier.temperature,
        best_epoch=learned.best_epoch.number,
    )
    return score, logits, status
