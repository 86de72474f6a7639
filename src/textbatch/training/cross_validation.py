"""Cross-validation: every row is predicted by a network that has not seen it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textbatch.data.readers.labelled_rows import LabelledRows, label_ids_of
from textbatch.data.storage.file_io import new_output
from textbatch.errors import DataError
from textbatch.model.network.keras_backend import limit_threads
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import expected_calibration_error, softmax
from textbatch.model.quality.metrics import measure
from textbatch.report.terminal.pace import span
from textbatch.report.training import FoldScore
from textbatch.training.calibrate import calibrate
from textbatch.training.config.train import TrainConfig, out_of_fold_of
from textbatch.training.fit.fit import fit_model
from textbatch.training.fold_processes import in_processes
from textbatch.training.fold_progress import StepFile
from textbatch.training.linear import HeldOutRows
from textbatch.training.out_of_fold import OutOfFold
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import VALIDATION_SHARE, Splits
from textbatch.training.split.near_duplicates import text_groups
from textbatch.training.split.stratified import fold_numbers, split_rows
from textbatch.types import Float32Array, Int64Array, has_evidence

_ROWS = "give more rows with different texts, or fewer --folds"


def rows_to_fold(config: TrainConfig, splits: Splits) -> LabelledRows:
    """Return the rows of the inputs without the test rows, in the order of the inputs.

    Args:
        config: Tells whether the validation rows come from their own file; then they are left out.
        splits: The rows as they were split.
    """
    training, validation = splits.training, splits.validation
    numbers = training.row_numbers, validation.row_numbers
    if config.validation or numbers[0] is None or numbers[1] is None:
        return training
    both = training.followed_by(validation)
    together = np.concatenate([numbers[0], numbers[1]])
    return replace(both, row_numbers=together).take(np.argsort(together))


def held_out_by_folds(config: TrainConfig, splits: Splits, folds: OutOfFold) -> HeldOutRows:
    """Return the predictions of a cross-validation, to use instead of the validation rows'.

    Args:
        config: As in `rows_to_fold`.
        splits: The rows as they were split.
        folds: The predictions.
    """
    rows = rows_to_fold(config, splits)
    return HeldOutRows(rows=rows, logits=folds.logits, folds=folds.folds)


def check_out_of_fold(config: TrainConfig) -> Path | None:
    """Return the file for the predictions of the folds: beside the model, if none is named.

    None where nobody asks for it: without `--folds`.

    Args:
        config: The options.

    Raises:
        OutputError: The file exists and may not be replaced, or there is no directory for it.
        AccessError: The directory is not writable.
    """
    if not (config.folds or config.out_of_fold):
        return None
    path = config.out_of_fold or out_of_fold_of(config.model)
    new_output(path).check(overwrite=config.if_exists == "replace")
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fold:
    """One fold: its number from 0, and whether it holds out each row, shape `(rows,)`."""

    number: int
    splits: Splits
    held_out: Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoldAnswers:
    """Predictions for a fold: uncalibrated logits `(rows, labels)`, status codes `(rows,)`."""

    number: int
    score: FoldScore
    logits: Float32Array
    status: NDArray[np.int8]


def cross_validate(run: TrainingRun, rows: LabelledRows, labels: tuple[str, ...]) -> OutOfFold:
    """For each fold, train on the other folds and predict it; in processes of their own.

    Folds are stratified by label, and near duplicates stay in one fold. A tenth of the other folds
    stops the training and finds the temperature, so that the held-out rows decide nothing.

    Args:
        run: Tells how to fit, how many folds there are, and how many are trained at a time.
        rows: Rows with a word in each text.
        labels: All labels that occur.

    Raises:
        DataError: There are fewer different texts than folds, or too few to stop early with.
    """
    folds = run.config.folds
    number, found = _folds(run, rows, labels)
    logits = np.full((len(rows), len(labels)), np.nan, np.float32)
    status = np.zeros(len(rows), np.int8)
    scores: list[FoldScore | None] = [None] * folds
    started, done = time.monotonic(), 0
    with run.listener.step("cross-validation", folds, unit="folds") as step:
        for answers in in_processes(run, _answer_fold, found):
            here = found[answers.number].held_out
            logits[here], status[here] = answers.logits, answers.status
            scores[answers.number] = answers.score
            done += 1
            step.advance(1)
            left = (time.monotonic() - started) / done * (folds - done)
            pace = f"; about {span(left)} left" if done < folds else ""
            run.listener.log(answers.score.line(folds) + pace)
    return OutOfFold(
        labels=labels,
        numbers=np.arange(1, len(rows) + 1) if rows.row_numbers is None else rows.row_numbers,
        label_ids=label_ids_of(rows.labels, labels)[0],
        folds=number + 1,
        logits=logits,
        evidence=has_evidence(status),
        scores=[score for score in scores if score],
    )


def _folds(
    run: TrainingRun, rows: LabelledRows, labels: tuple[str, ...]
) -> tuple[Int64Array, list[_Fold]]:
    """Return the number of each row's fold, from 0, shape `(rows,)`, and the folds."""
    folds, seed = run.config.folds, run.config.seed
    groups, _ = text_groups(rows.texts, [])
    different = len(np.unique(groups))
    if different < folds:
        raise DataError(f"{different:,} different texts make no {folds} folds", _ROWS)
    label_ids, _ = label_ids_of(rows.labels, labels)
    number = fold_numbers(groups, label_ids, folds=folds, seed=seed)
    found: list[_Fold] = []
    for fold in range(folds):
        others, held_out = np.flatnonzero(number != fold), np.flatnonzero(number == fold)
        shares = [1.0 - VALIDATION_SHARE, VALIDATION_SHARE]
        training, validation = split_rows(
            groups[others], label_ids[others], shares=shares, seed=seed
        )
        if not len(validation):
            raise DataError("no row is left for early stopping in a fold", _ROWS)
        splits = Splits(
            training=rows.take(others[training]),
            validation=rows.take(others[validation]),
            test=rows.take(held_out),
            labels=labels,
            warnings=[],
        )
        found.append(_Fold(number=fold, splits=splits, held_out=held_out))
    return number, found


def _answer_fold(run: TrainingRun, fold: _Fold, threads: int, told: StepFile) -> _FoldAnswers:
    limit_threads(threads)
    splits = fold.splits
    fitted = fit_model(run.heard_by(told), splits)
    told.begin(None, step="answering")
    classifier = calibrate(fitted.classifier, splits, blend=False, threads=threads).classifier
    with open_predictor(classifier, threads=threads) as predictor:
        logits, status = predictor.predict_logits(splits.test.texts)
    evidence = has_evidence(status)
    true, _ = label_ids_of(splits.test.labels, splits.labels)
    probabilities = softmax(logits[evidence], classifier.temperature)
    predicted = np.full(len(true), -1)
    predicted[evidence] = probabilities.argmax(axis=1)
    metrics = measure(true, predicted, splits.labels, weights=splits.test.weights)
    score = FoldScore(
        fold=fold.number + 1,
        rows=len(true),
        accuracy=metrics.accuracy,
        macro_f1=metrics.macro_f1,
        ece=expected_calibration_error(
            probabilities, true[evidence], weights=splits.test.weights_of(evidence)
        ),
        temperature=classifier.temperature,
        best_epoch=fitted.best_epoch,
    )
    told.done()
    return _FoldAnswers(number=fold.number, score=score, logits=logits, status=status)
