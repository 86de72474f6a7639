from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.model.fitting.settings import Epoch
from textbatch.model.linear.text_model import LinearFeatures
from textbatch.training.cross_fit.answers import CrossFitted
from textbatch.training.cross_fit.fold import FoldAnswers
from textbatch.training.linear import LinearChoice
from textbatch.training.long_texts import LongAnswers
from textbatch.types import Status

LABELS = ("a", "b", "c")
PLAIN = LinearFeatures()


def epoch(number: int, loss: float) -> Epoch:
    return Epoch(
        number=number, loss=loss, accuracy=0.5, validation_loss=loss, validation_accuracy=0.5
    )


def made(rows: int = 600, folds: int = 3, *, seed: int = 0) -> CrossFitted:
    """Answers that are right more often than not. The first row of each fold has no evidence."""
    random = np.random.default_rng(seed)
    true = random.integers(0, 3, rows)
    logits = (3 * random.normal(size=(rows, 3))).astype(np.float32)
    logits[np.arange(rows), true] += 4
    margins = random.normal(size=(rows, 3)).astype(np.float32)
    margins[np.arange(rows), true] += 1
    number = random.permutation(np.arange(rows) % folds)
    tasks, found = [], []
    for fold in range(folds):
        here = np.flatnonzero(number == fold)
        status = np.zeros(len(here), np.int8)
        status[0] = Status.NO_KNOWN_TOKENS
        its_own = logits[here].copy()
        its_own[0] = np.nan
        tasks.append(SimpleNamespace(held_out=here))
        found.append(
            FoldAnswers(
                number=fold,
                epochs=[epoch(n + 1, 1 / (n + 1)) for n in range(fold + 2)],
                best_epoch=fold + 2,
                status=status,
                known=here + 1,
                logits=its_own,
                int8_logits=its_own,
                long=LongAnswers(rows=np.array([1]), logits={"tail": its_own[[1]]}),
                margins={PLAIN: margins[here]},
                logistic=margins[here],
                curve=[(100 * (fold + 1), 10), (200 * (fold + 1), 100)],
            )
        )
    texts = pa.array([f"text {n}" for n in range(rows)], pa.large_string())
    given = LabelledRows(texts=texts, labels=pa.array(LABELS).take(pa.array(true)))
    whole = CrossFitted.of(given, LABELS, tasks, found)
    assert np.array_equal(whole.folds, number + 1)
    assert np.array_equal(whole.long.logits["tail"], whole.logits[whole.long.rows])
    assert np.array_equal(whole.margins[PLAIN], margins)
    assert np.array_equal(whole.logits[whole.evidence], logits[whole.evidence])
    assert (~whole.evidence).sum() == folds
    assert np.array_equal(whole.held_out().known, np.arange(rows) + 1)
    return whole


def choice(whole: CrossFitted, weight: float = 1.0) -> LinearChoice:
    margins = whole.margins[PLAIN]
    return LinearChoice(
        features=PLAIN,
        weight=weight,
        margins=margins,
        logits=whole.logits + margins,
        loss=0.5,
        loss_without_vectors=0.5,
    )


def test_epochs_are_means_as_far_as_all_folds_went():
    whole = made()
    assert [one.number for one in whole.epochs] == [1, 2]
    assert whole.epochs[1].validation_loss == pytest.approx(0.5)
    assert whole.best_epoch == 2


def test_the_learning_curve_is_of_all_folds_together():
    curve = made().curve
    assert curve.rows == [200, 400]
    assert curve.accuracy == pytest.approx([30 / 600, 300 / 600])


def test_no_row_has_a_part_in_what_its_own_answer_is_calibrated_with():
    whole = made()
    _, answers = whole.measured(choice(whole))
    # Wrong labels for one fold change the calibration of the others, and not its own.
    wrong = np.array(whole.rows.labels.to_pylist())
    wrong[whole.folds == 2] = "c"
    other = replace(whole, rows=replace(whole.rows, labels=pa.array(wrong)))
    _, changed = other.measured(choice(other))
    inside = (whole.folds == 2)[whole.evidence]
    assert np.array_equal(answers.calibrated[inside], changed.calibrated[inside])
    assert not np.array_equal(answers.calibrated[~inside], changed.calibrated[~inside])


def test_a_row_without_evidence_counts_as_wrong():
    whole = made()
    out_of_fold, answers = whole.measured(None)
    assert (answers.predicted[~answers.evidence] == -1).all()
    right = answers.predicted == answers.true
    shares = [right[whole.folds == fold].mean() for fold in (1, 2, 3)]
    assert [score.accuracy for score in out_of_fold.scores] == pytest.approx(shares)
    assert [score.rows for score in out_of_fold.scores] == [200, 200, 200]


def test_the_file_has_the_answers_that_are_measured():
    whole = made()
    out_of_fold, answers = whole.measured(choice(whole))
    table = out_of_fold.table()
    said = np.array(
        [LABELS.index(one) if one else -1 for one in table["predicted_label"].to_pylist()]
    )
    assert np.array_equal(said, answers.predicted)


def test_answers_are_calibrated_better_than_before():
    whole = made(3_000)
    _, answers = whole.measured(choice(whole))
    true = answers.true[answers.evidence]

    def loss(probabilities):
        return -np.log(probabilities[np.arange(len(true)), true]).mean()

    assert loss(answers.calibrated) < loss(answers.uncalibrated)
