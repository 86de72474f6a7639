"""The linear model beside the network, and its weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow.compute as pc

from textbatch.data.readers.labelled import LabelledRows, label_ids_of
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
)
#: How much the loss of the whole model must fall, in nats a row, before character n-grams across
#: words are taken: scoring is slower with them, and no file of token ids can hold them.
_CHARACTERS_GAIN = 0.02
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
    """

    rows: LabelledRows
    logits: Float32Array
    folds: Int64Array | None = None
    margins: Mapping[LinearFeatures, Float32Array] = field(default_factory=dict)
    known: Int64Array | None = None

    @property
    def evidence(self) -> BoolArray:
        """Whether each row has a prediction. Shape `(rows,)`."""
        return np.isfinite(self.logits[:, 0])


def held_out_rows(
    classifier: Classifier, rows: LabelledRows, *, threads: int | None = None
) -> HeldOutRows:
    """Predict rows that a classifier has not seen.

    Args:
        classifier: The network, not calibrated yet.
        rows: The rows.
        threads: CPU threads; None for as many as there are cores.
    """
    with open_predictor(classifier, threads=threads) as predictor:
        logits, _ = predictor.predict_logits(rows.texts)
    return HeldOutRows(rows=rows, logits=logits)


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
    """

    features: LinearFeatures
    weight: float
    margins: Float32Array
    logits: Float32Array


def candidates(splits: Splits, tokenizer: Tokenizer) -> tuple[LinearFeatures, ...]:
    """The features that are tried: fewer where a fit would take longer than the network's.

    Args:
        splits: The labelled rows.
        tokenizer: The network's tokenizer.
    """
    texts = splits.training.followed_by(splits.validation).texts
    few = len(tokenizer.encode(texts).token_ids) <= MAX_SUBWORD_TOKENS
    readings = (pc.sum(pc.utf8_length(texts)).as_py() or 0) * LONGEST * len(splits.labels)
    return tuple(
        features
        for features in _CANDIDATES
        if (few or not features.subwords) and (readings <= _MAX_READINGS or not features.characters)
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
    for features in candidates(splits, tokenizer):
        margins = held_out.margins.get(features)
        if margins is None:
            margins = _margins(splits, tokenizer, held_out, features)
        weight, loss = fit_blend_weight(
            held_out.logits[evidence], margins[evidence], label_ids[evidence]
        )
        least = best_loss - _CHARACTERS_GAIN if features.characters else best_loss
        if best is None or loss < least:
            logits = np.asarray(held_out.logits + np.float32(weight) * margins)
            best_loss = loss
            best = LinearChoice(features=features, weight=weight, margins=margins, logits=logits)
    assert best is not None, "there is a candidate"
    return best


def fit_linear(
    splits: Splits,
    tokenizer: Tokenizer,
    features: LinearFeatures,
    *,
    method: Literal["svm", "logistic"] = "svm",
) -> LinearTextModel:
    """Fit a linear model to all rows but the test rows.

    Args:
        splits: The labelled rows.
        tokenizer: The network's tokenizer.
        features: The features of the linear model.
        method: How it is fitted.
    """
    rows = splits.training.followed_by(splits.validation)
    label_ids, _ = label_ids_of(rows.labels, splits.labels)
    return fit_linear_text(
        tokenizer.encode(rows.texts),
        label_ids,
        vocabulary=tokenizer.vocabulary,
        features=features,
        method=method,
    )


def _margins(
    splits: Splits, tokenizer: Tokenizer, held_out: HeldOutRows, features: LinearFeatures
) -> Float32Array:
    """Predict held-out rows by linear models that have not seen them. Shape `(rows, labels)`."""
    margins = np.empty_like(held_out.logits)
    for here, seen, asked in _folds(splits, held_out):
        margins[here] = linear_answers(splits.labels, tokenizer, seen, asked, features)
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
) -> Float32Array:
    """Fit a linear model to some rows, and ask it about others.

    Args:
        labels: The labels, in order.
        tokenizer: The network's tokenizer.
        seen: The rows to learn from.
        asked: The rows to predict.
        features: The features of the linear model.
        method: How it is fitted.

    Returns:
        The margins; -1 for labels that no row to learn from has. Shape `(rows, labels)`.
    """
    margins = np.full((len(asked), len(labels)), -1, np.float32)
    present, label_ids = np.unique(label_ids_of(seen.labels, labels)[0], return_inverse=True)
    if len(present) > 1:
        tokens = tokenizer.encode(seen.texts)
        model = fit_linear_text(
            tokens,
            label_ids,
            vocabulary=tokenizer.vocabulary,
            features=features,
            method=method,
        )
        margins[:, present] = model.margins(tokenizer.encode(asked.texts))
    return margins
