"""From labelled rows to a network of all of them, and to the answers of the folds."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from textbatch.data.readers.labelled_rows import label_ids_of
from textbatch.errors import DataError
from textbatch.model.linear.text_model import LinearFeatures
from textbatch.report.listener import StepsOnly
from textbatch.report.terminal.pace import span
from textbatch.training.cross_fit.answers import CrossFitted
from textbatch.training.cross_fit.fold import FoldAnswers, FoldTask, answer_fold
from textbatch.training.fit.fit import prepare
from textbatch.training.fit.fitted import Fitted, NetworkStart
from textbatch.training.fit.network import NetworkFit
from textbatch.training.fit.resume import Checkpoints
from textbatch.training.fold_processes import in_processes
from textbatch.training.linear import candidates
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import Splits
from textbatch.training.split.near_duplicates import text_groups
from textbatch.training.split.stratified import fold_numbers
from textbatch.types import Int64Array

#: Rows that stand for validation rows where all rows teach; their loss decides nothing.
_FEW = 64


def cross_fit(
    run: TrainingRun, splits: Splits, folds: int, checkpoints: Checkpoints
) -> tuple[Fitted, CrossFitted]:
    """Fit a network and linear models for each fold, and a network to all rows.

    The network of all rows runs as many epochs as were best for the folds, on average.

    Args:
        run: How to fit.
        splits: All rows are training rows.
        folds: How many folds.
        checkpoints: Where the folds and the last network go on after an interruption.

    Returns:
        The network of all rows, not calibrated, and the answers of the folds.

    Raises:
        DataError: There are fewer different texts than folds, or no word occurs often enough.
        TextbatchError: Another subclass, if a file of vectors or texts cannot be used.
    """
    rows, labels = splits.training, splits.labels
    groups, _ = text_groups(rows.texts, [])
    different = len(np.unique(groups))
    if different < folds:
        raise DataError(
            f"{different:,} different texts make no {folds} folds",
            "give more rows with different texts, or fewer --folds",
        )
    label_ids, _ = label_ids_of(rows.labels, labels)
    number = fold_numbers(groups, label_ids, folds=folds, seed=run.config.seed)
    start = prepare(run, splits)
    checkpoints.begin()
    tasks = _tasks(run, splits, start, number, checkpoints)
    answers = CrossFitted.of(rows, labels, tasks, _answers(run, tasks))
    return _fit_all(run, splits, start, answers, checkpoints), answers


def _tasks(
    run: TrainingRun,
    splits: Splits,
    start: NetworkStart,
    number: Int64Array,
    checkpoints: Checkpoints,
) -> list[FoldTask]:
    rows = splits.training
    features: tuple[LinearFeatures, ...] = ()
    if run.config.blend == "auto":
        features = candidates(splits, start.tokenizer, start.word_vectors)
    # Words that files of vectors or unlabelled texts have are known without the training rows too.
    own_words = not (run.config.vectors or run.config.unlabelled)
    tasks = []
    for fold in range(int(number.max()) + 1):
        others, held_out = np.flatnonzero(number != fold), np.flatnonzero(number == fold)
        its_own = rows.take(held_out)
        tasks.append(
            FoldTask(
                number=fold,
                splits=replace(
                    splits, training=rows.take(others), validation=its_own, test=its_own
                ),
                held_out=held_out,
                start=start,
                features=features,
                checkpoint=checkpoints.of(f"fold-{fold + 1}"),
                own_words=own_words,
            )
        )
    return tasks


def _answers(run: TrainingRun, tasks: list[FoldTask]) -> list[FoldAnswers]:
    found: dict[int, FoldAnswers] = {}
    started = time.monotonic()
    with run.listener.step("cross-fitting", len(tasks), unit="folds") as step:
        # With one thread each, the answers do not depend on the number of cores.
        for answers in in_processes(run, answer_fold, tasks, threads=1):
            found[answers.number] = answers
            step.advance(1)
            left = (time.monotonic() - started) / len(found) * (len(tasks) - len(found))
            best = answers.epochs[answers.best_epoch - 1]
            run.listener.log(
                f"fold {answers.number + 1} of {len(tasks)}: {best.line()}"
                + (f"; about {span(left)} left" if left else "")
            )
    return [found[number] for number in range(len(tasks))]


def _fit_all(
    run: TrainingRun,
    splits: Splits,
    start: NetworkStart,
    answers: CrossFitted,
    checkpoints: Checkpoints,
) -> Fitted:
    epochs = answers.best_epoch
    recipe = replace(run.recipe, fit=replace(run.recipe.fit, max_epochs=epochs))
    # Messages are dropped, because the validation loss means nothing here.
    silent = replace(run, recipe=recipe, listener=StepsOnly(run.listener))
    checkpoint = checkpoints.of("all")
    checkpoint.find()
    few = splits.training.take(np.arange(min(_FEW, len(splits.training))))
    together = replace(splits, validation=few)
    fit = NetworkFit(silent, together, start, checkpoint=checkpoint, stop_early=False)
    for epoch in fit.epochs():
        run.listener.log(f"all rows, epoch {epoch.number} of {epochs}")
    return replace(fit.fitted(), epochs=answers.epochs)
