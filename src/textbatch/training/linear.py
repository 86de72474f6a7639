"""The linear model beside the network, and its weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow.compute as pc

from textbatch.data.readers.labelled_rows import LabelledRows, label_ids_of
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.linear.blend_weight import fit_blend_weight
from textbatch.model.linear.text_characters import LONGEST
from textbatch.model.linear.text_model import (
    MAX_SUBWORD_TOKENS,
    LinearFeatures,
    LinearTextModel,
    fit_linear_text,
)
from textbatch.model.predictor import open_predictor
from textbatch.model.vectors.types import WordVectors
from textbatch.text.tokenizer import Tokenizer
from textbatch.training.split.dataset import Splits
from textbatch.types import BoolArray, Float32Array, Int64Array

#: The held-out rows choose; equally good ones, the simplest.
_MAX_PAIRS = 1_000_000
_CANDIDATES = (
    LinearFeatures(),
    LinearFeatures(max_pairs=_MAX_PAIRS),
    LinearFeatures(max_pairs=_MAX_PAIRS, subwords=True),
    LinearFeatures(max_pairs=_MAX_PAIRS, characters=True),
    LinearFeatures(max_pairs=_MAX_PAIRS, subwords=True, vectors=True),
)
#: How much the loss of the whole model must fall, in nats a row, before character n-grams across
#: words are taken: scoring is slower with them, and no file of token ids can hold them.
_CHARACTERS_GAIN = 0.02
#: The share of it that must go before the vectors of words are taken; less may be chance.
_VECTORS_GAIN = 0.0025
#: Each label reads each character n-gram of each row. With more than so many readings the fit would
#: take longer than the network's.
_MAX_READINGS = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutRows:
    """Rows, with predictions of networks that have not seen them.

    Attributes:
        rows: The validation rows, or all rows of a cross-validation.
        logits: The networks' logits; NaN for rows without evidence. Shape `(rows, labels)`.
        folds: The fold of each row in a cross-validation; None for validation rows. Shape
            `(rows,)`.
        margins: Margins of linear models that have not seen the rows, by their features, if they
            are known already. Shape `(rows, labels)` each.
        known: Number of tokens of each row that a vocabulary has which has not seen the row; None
            asks the network's own. Shape `(rows,)`.
        vectors: Vectors of words, that a linear model may learn from; None without any.
    """

    rows: LabelledRows
    logits: Float32Array
    folds: Int64Array | None = None
    margins: Mapping[LinearFeatures, Float32Array] = field(default_factory=dict)
    known: Int64Array | None = None
    vectors: WordVectors | None = None

    @property
    def evidence(self) -> BoolArray:
        """Whether each row has a prediction. Shape `(rows,)`."""
        return np.isfinite(self.logits[:, 0])


def held_out_rows(
    classifier: Classifier,
    rows: LabelledRows,
    *,
    threads: int | None = None,
    vectors: WordVectors | None = None,
) -> HeldOutRows:
    """Predict rows that a classifier has not seen.

    Args:
        classifier: The network, not calibrated yet.
        rows: The rows.
        threads: CPU threads; None for as many as there are cores.
        vectors: As in `HeldOutRows`.
    """
    with open_predictor(classifier, threads=threads) as predictor:
        logits, _ = predictor.predict_logits(rows.texts)
    return HeldOutRows(rows=rows, logits=logits, vectors=vectors)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearChoice:
    """The linear model that is best on the held-out rows, together with the network.

    Attributes:
        features: The features of the linear model.
        weight: The weight of its margins, which are added to the network's logits; 0 if it does
            not help.
        margins: Margins of linear models that have not seen the row. Shape `(held-out rows,
            labels)`.
        logits: Logits of both together. Shape `(held-out rows, labels)`.
        loss: What held-out rows lose with both, in nats a row.
        loss_without_vectors: The same with the best features that need no vectors of words.
    """

    features: LinearFeatures
    weight: float
    margins: Float32Array
    logits: Float32Array
    loss: float
    loss_without_vectors: float

    def told(self) -> str:
        """What vectors of words bring to it, for the log; empty where it has none."""
        if not self.features.vectors:
            return ""
        return (
            f"the linear model learned from vectors of words: held-out rows lose {self.loss:.3f} "
            f"nats, {self.loss_without_vectors:.3f} without them"
        )


def candidates(
    splits: Splits, tokenizer: Tokenizer, vectors: WordVectors | None
) -> tuple[LinearFeatures, ...]:
    """The features that are tried: fewer where a fit would take longer than the network's.

    Args:
        splits: The labelled rows.
        tokenizer: The network's tokenizer.
        vectors: Vectors of words; None without any.
    """
    texts = splits.training.followed_by(splits.validation).texts
    few = len(tokenizer.encode(texts).token_ids) <= MAX_SUBWORD_TOKENS
    readings = (pc.sum(pc.utf8_length(texts)).as_py() or 0) * LONGEST * len(splits.labels)
    return tuple(
        features
        for features in _CANDIDATES
        if (few or not features.subwords)
        and (readings <= _MAX_READINGS or not features.characters)
        and (vectors is not None or not features.vectors)
    )


def choose_linear(splits: Splits, tokenizer: Tokenizer, held_out: HeldOutRows) -> LinearChoice:
    """Find the features and the weight of the linear model.

    Args:
        splits: The labelled rows.
        tokenizer: The network's tokenizer.
        held_out: The rows that decide.
    """
    label_ids, _ = label_ids_of(held_out.rows.labels, splits.labels)
    evidence = np.flatnonzero(held_out.evidence)
    best_loss, best = np.inf, None
    for features in candidates(splits, tokenizer, held_out.vectors):
        margins = held_out.margins.get(features)
        if margins is None:
            margins = _margins(splits, tokenizer, held_out, features)
        weight, loss = fit_blend_weight(
            held_out.logits[evidence],
            margins[evidence],
            label_ids[evidence],
            held_out.rows.weights_of(evidence),
        )
        least = best_loss - _CHARACTERS_GAIN if features.characters else best_loss
        if features.vectors:
            least *= 1 - _VECTORS_GAIN
        if best is None or loss < least:
            logits = np.asarray(held_out.logits + np.float32(weight) * margins)
            without = best_loss if features.vectors else loss
            best_loss = loss
            best = LinearChoice(
                features=features,
                weight=weight,
                margins=margins,
                logits=logits,
                loss=float(loss),
                loss_without_vectors=float(without),
            )
    assert best is not None, "there is a candidate"
    return best


def fit_linear(
    splits: Splits,
    tokenizer: Tokenizer,
    features: LinearFeatures,
    *,
    method: Literal["svm", "logistic"] = "svm",
    vectors: WordVectors | None = None,
) -> LinearTextModel:
    """Fit a linear model to all rows but the test rows.

    Args:
        splits: The labelled rows.
        tokenizer: The network's tokenizer.
        features: The features of the linear model.
        method: How it is fitted.
        vectors: Vectors of words, for features that need them.
    """
    rows = splits.training.followed_by(splits.validation)
    label_ids, _ = label_ids_of(rows.labels, splits.labels)
    return fit_linear_text(
        tokenizer.encode(rows.texts),
        label_ids,
        vocabulary=tokenizer.vocabulary,
        features=features,
        method=method,
        vectors=_table(features, tokenizer, vectors),
        weights=rows.weights,
        targets=rows.targets(splits.labels),
    )


def _table(
    features: LinearFeatures, tokenizer: Tokenizer, vectors: WordVectors | None
) -> Float32Array | None:
    """The vectors of the tokenizer's tokens; None where no feature needs them."""
    if not features.vectors or vectors is None:
        return None
    return vectors.of_tokens(tokenizer.vocabulary.tokens)


def _margins(
    splits: Splits, tokenizer: Tokenizer, held_out: HeldOutRows, features: LinearFeatures
) -> Float32Array:
    """Predict held-out rows by linear models that have not seen them. Shape `(rows, labels)`."""
    margins = np.empty_like(held_out.logits)
    for here, seen, asked in _folds(splits, held_out):
        margins[here] = linear_answers(
            splits.labels, tokenizer, seen, asked, features, vectors=held_out.vectors
        )
    return margins


def _folds(
    splits: Splits, held_out: HeldOutRows
) -> Iterator[tuple[BoolArray, LabelledRows, LabelledRows]]:
    """Yield which held-out rows are predicted, the rows to learn from, and the predicted rows."""
    folds = held_out.folds
    if folds is None:
        yield np.ones(len(held_out.rows), bool), splits.training, held_out.rows
        return
    for fold in np.unique(folds):
        here = folds == fold
        seen, asked = (held_out.rows.take(np.flatnonzero(rows)) for rows in (~here, here))
        yield here, seen, asked


def linear_answers(
    labels: tuple[str, ...],
    tokenizer: Tokenizer,
    seen: LabelledRows,
    asked: LabelledRows,
    features: LinearFeatures,
    *,
    method: Literal["svm", "logistic"] = "svm",
    vectors: WordVectors | None = None,
) -> Float32Array:
    """Fit a linear model to some rows, and ask it about others.

    Args:
        labels: The labels, in order.
        tokenizer: The network's tokenizer.
        seen: The rows to learn from.
        asked: The rows to predict.
        features: The features of the linear model.
        method: How it is fitted.
        vectors: Vectors of words, for features that need them.

    Returns:
        The margins; -1 for labels that no row to learn from has. Shape `(rows, labels)`.
    """
    margins = np.full((len(asked), len(labels)), -1, np.float32)
    present, label_ids = np.unique(label_ids_of(seen.labels, labels)[0], return_inverse=True)
    if len(present) > 1:
        tokens, targets = tokenizer.encode(seen.texts), seen.targets(labels)
        model = fit_linear_text(
            tokens,
            label_ids,
            vocabulary=tokenizer.vocabulary,
            features=features,
            method=method,
            vectors=_table(features, tokenizer, vectors),
            weights=seen.weights,
            targets=None if targets is None else targets[:, present],
        )
        margins[:, present] = model.margins(tokenizer.encode(asked.texts))
    return margins
