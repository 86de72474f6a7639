"""What is done for a fold: fit to the other rows, answer the rows that it holds out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from textbatch.data.readers.labelled_rows import LabelledRows, label_ids_of
from textbatch.model.fitting.checkpoint import Checkpoint
from textbatch.model.fitting.settings import Epoch
from textbatch.model.linear.text_model import LinearFeatures
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.keras_backend import limit_threads
from textbatch.model.predictor import open_predictor
from textbatch.model.statuses import known_tokens
from textbatch.text.normalization import split_tokens
from textbatch.text.vocabulary import RESERVED, Vocabulary
from textbatch.training.fit.fitted import NetworkStart
from textbatch.training.fit.network import fit_network
from textbatch.training.fold_progress import StepFile
from textbatch.training.linear import linear_answers
from textbatch.training.long_texts import LongAnswers, long_answers
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import Splits
from textbatch.types import Float32Array, Int64Array

#: Features of the logistic regression that the model is compared with, and of the learning curve:
#: words and pairs of them.
PAIRS = LinearFeatures(max_pairs=1_000_000)
#: The linear model is also fitted to these shares of the other folds, for the learning curve.
CURVE_SHARES = (0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldTask:
    """One fold.

    Attributes:
        number: Its number, from 0.
        splits: The rows of the other folds to train on; its own ones to validate and to test.
        held_out: Positions of its own rows among all. Shape `(rows,)`.
        start: What the network of all rows begins with.
        features: Of the linear models to fit; none where no linear model may be added.
        checkpoint: Where an interrupted training goes on.
        own_words: Whether words that only its own rows have are unknown to its network.
    """

    number: int
    splits: Splits
    held_out: Int64Array
    start: NetworkStart
    features: tuple[LinearFeatures, ...]
    checkpoint: Checkpoint
    own_words: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldAnswers:
    """The answers to the rows of a fold by models that have not seen them.

    Attributes:
        number: Number of the fold, from 0.
        epochs: What each epoch of its network measured.
        best_epoch: The epoch whose weights answered.
        status: Codes of `Status`. Shape `(rows,)`.
        known: Number of tokens that its vocabulary has. Shape `(rows,)`.
        logits: The network's; NaN without evidence. Shape `(rows, labels)`.
        int8_logits: The same in int8; None if the network cannot use it.
        margins: Of the linear models, by their features. Shape `(rows, labels)` each.
        logistic: Of the logistic regression. Shape `(rows, labels)`.
        long: The network's answers to long rows, by the part that it read.
        curve: Whether linear models of some of the other rows are right: their number of rows, and
            the weight of the answers that are right, for each of `CURVE_SHARES`.
    """

    number: int
    epochs: list[Epoch]
    best_epoch: int
    status: NDArray[np.int8]
    known: Int64Array
    logits: Float32Array
    int8_logits: Float32Array | None
    margins: Mapping[LinearFeatures, Float32Array]
    logistic: Float32Array
    long: LongAnswers
    curve: list[tuple[int, float]]


def answer_fold(run: TrainingRun, fold: FoldTask, threads: int, told: StepFile) -> FoldAnswers:
    """Fit network and linear models for a fold, and answer its rows.

    Args:
        run: How to fit.
        fold: The fold.
        threads: CPU threads.
        told: Gets the names of the steps.
    """
    limit_threads(threads)
    splits = fold.splits
    start = _start_of(fold, run.recipe.min_count)
    fold.checkpoint.find()
    fitted = fit_network(run.heard_by(told), splits, start, checkpoint=fold.checkpoint)
    told.begin(None, step="answering")
    texts, network = splits.test.texts, start.architecture
    with open_predictor(fitted.classifier, threads=threads) as predictor:
        logits, status = predictor.predict_logits(texts)
        long = long_answers(predictor, texts)
    int8_logits = None
    if isinstance(network, Architecture) and not network.bidirectional:
        with open_predictor(fitted.classifier, threads=threads, precision="int8") as predictor:
            int8_logits, _ = predictor.predict_logits(texts)
    told.begin(None, step="simple models")
    ask = partial(_asked, fold, start)
    margins = {features: ask(splits.training, features) for features in fold.features}
    answers = FoldAnswers(
        number=fold.number,
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch,
        status=status,
        known=known_tokens(start.tokenizer.encode(texts)),
        logits=logits,
        long=long,
        int8_logits=int8_logits,
        margins=margins,
        logistic=ask(splits.training, PAIRS, method="logistic"),
        curve=_curve(fold, ask, margins.get(PAIRS), run.config.seed),
    )
    told.done()
    return answers


def _asked(
    fold: FoldTask,
    start: NetworkStart,
    seen: LabelledRows,
    features: LinearFeatures,
    *,
    method: Literal["svm", "logistic"] = "svm",
) -> Float32Array:
    """Fit a linear model to some of the other rows; its margins for the fold's own."""
    asked, labels = fold.splits.test, fold.splits.labels
    return linear_answers(
        labels,
        start.tokenizer,
        seen,
        asked,
        features,
        method=method,
        vectors=start.word_vectors,
    )


def _curve(
    fold: FoldTask,
    ask: Callable[[LabelledRows, LinearFeatures], Float32Array],
    of_all: Float32Array | None,
    seed: int,
) -> list[tuple[int, float]]:
    """Fit the linear model to some of the other rows; how many rows, and what right answers weigh.

    Args:
        fold: The fold.
        ask: Fits a linear model to rows, and gives its margins for the fold's own.
        of_all: The margins of the one of all other rows, if it is fitted already.
        seed: Of the choice of rows.
    """
    training = fold.splits.training
    true, _ = label_ids_of(fold.splits.test.labels, fold.splits.labels)
    order = np.random.default_rng((seed, fold.number)).permutation(len(training))
    points = []
    for share in CURVE_SHARES:
        some = training.take(np.sort(order[: max(1, round(share * len(training)))]))
        margins = of_all if len(some) == len(training) else None
        if margins is None:
            margins = ask(some, PAIRS)
        right = margins.argmax(axis=1) == true
        weights = fold.splits.test.weights_of(right)
        points.append((len(some), float(right.sum() if weights is None else weights.sum())))
    return points


def _start_of(fold: FoldTask, min_count: int) -> NetworkStart:
    """What the network of a fold begins with: without the words that only its own rows have.

    The vectors of the other words come from all texts, as from unlabelled ones.
    """
    start = fold.start
    if not fold.own_words:
        return start
    vocabulary = start.tokenizer.vocabulary
    seen, asked = (
        np.bincount(vocabulary.lookup(split_tokens(rows.texts)[0]), minlength=len(vocabulary))
        for rows in (fold.splits.training, fold.splits.test)
    )
    kept = (seen >= min_count) | (seen + asked < min_count)
    kept[: len(RESERVED)] = True
    places = np.flatnonzero(kept)
    words = tuple(vocabulary.tokens[place] for place in places.tolist())
    return replace(
        start,
        tokenizer=replace(start.tokenizer, vocabulary=Vocabulary(tokens=words)),
        architecture=replace(start.architecture, vocabulary_size=len(words)),
        vectors=np.ascontiguousarray(start.vectors[places]),
    )
