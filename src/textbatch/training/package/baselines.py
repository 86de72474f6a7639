"""The simple models that a network has to beat, and the one that it is blended with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from textbatch.data.readers.labelled import LabelledRows, label_ids_of
from textbatch.errors import QualityGateError
from textbatch.model.bundle.blend import Blend
from textbatch.model.linear.blend_weight import fit_blend_weight
from textbatch.model.linear.text_model import (
    MAX_SUBWORD_TOKENS,
    LinearFeatures,
    LinearTextModel,
    fit_linear_text,
)
from textbatch.model.quality.metrics import measure
from textbatch.report.comparison import Contender
from textbatch.text.tokenizer import Tokenizer
from textbatch.training.split.dataset import Parts
from textbatch.types import Float32Array, Int64Array

#: These are not there to be beaten.
_NO_BASELINE = ("network alone",)


#: The held-out rows choose; equally good ones, the simplest.
_MAX_PAIRS = 1_000_000
_CANDIDATES = (
    LinearFeatures(),
    LinearFeatures(max_pairs=_MAX_PAIRS),
    LinearFeatures(max_pairs=_MAX_PAIRS, subwords=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutRows:
    """Rows, and what networks that had not seen them answer.

    Attributes:
        rows: The validation rows, or all those of a cross-validation.
        logits: The networks', NaN for rows without evidence. Shape `(rows, labels)`.
        folds: The fold of each row in a cross-validation; None for validation rows, which stand
            beside the training rows. Shape `(rows,)`.
    """

    rows: LabelledRows
    logits: Float32Array
    folds: Int64Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """Models fitted on all rows but the test rows.

    Attributes:
        blend: The linear model with the weight that the held-out rows gave it, which may be 0.
        logistic: Logistic regression on the same features.
        held_out_logits: The network's and the linear model's together, the latter fitted
            without the rows that it answers. Shape `(held-out rows, labels)`.
    """

    blend: Blend
    logistic: LinearTextModel
    held_out_logits: Float32Array


def fit_baselines(parts: Parts, tokenizer: Tokenizer, held_out: HeldOutRows) -> Baselines:
    """Fit the linear models, and find the weight beside the network.

    Args:
        parts: The labelled rows.
        tokenizer: The network's.
        held_out: What decides on the weight.
    """
    true = _ids(held_out.rows, parts)
    evidence = np.flatnonzero(np.isfinite(held_out.logits[:, 0]))
    rows = parts.training.followed_by(parts.validation)
    tokens, label_ids = tokenizer.encode(rows.texts), _ids(rows, parts)
    few = len(tokens.token_ids) <= MAX_SUBWORD_TOKENS
    candidates = []
    for features in [one for one in _CANDIDATES if few or not one.subwords]:
        margins = _margins(parts, tokenizer, held_out, features)
        weight, loss = fit_blend_weight(
            held_out.logits[evidence], margins[evidence], true[evidence]
        )
        candidates.append((loss, features, weight, margins))
    _, features, weight, margins = min(candidates, key=lambda candidate: candidate[0])
    fit = partial(
        fit_linear_text, tokens, label_ids, vocabulary=tokenizer.vocabulary, features=features
    )
    return Baselines(
        blend=Blend(weight=weight, model=fit()),
        logistic=fit(method="logistic"),
        held_out_logits=np.asarray(held_out.logits + np.float32(weight) * margins),
    )


def _margins(
    parts: Parts, tokenizer: Tokenizer, held_out: HeldOutRows, features: LinearFeatures
) -> Float32Array:
    """What linear models that have not seen them answer to held-out rows. `(rows, labels)`."""
    folds = held_out.folds
    if folds is None:
        return _answered(parts, tokenizer, parts.training, held_out.rows, features)
    margins = np.empty_like(held_out.logits)
    for fold in np.unique(folds):
        others, here = (
            held_out.rows.take(np.flatnonzero(kept)) for kept in (folds != fold, folds == fold)
        )
        margins[folds == fold] = _answered(parts, tokenizer, others, here, features)
    return margins


def _answered(
    parts: Parts,
    tokenizer: Tokenizer,
    learned: LabelledRows,
    asked: LabelledRows,
    features: LinearFeatures,
) -> Float32Array:
    """Margins of one linear model, -1 for labels that it never saw. Shape `(rows, labels)`."""
    margins = np.full((len(asked), len(parts.labels)), -1, np.float32)
    present, label_ids = np.unique(_ids(learned, parts), return_inverse=True)
    if len(present) > 1:
        tokens = tokenizer.encode(learned.texts)
        model = fit_linear_text(
            tokens, label_ids, vocabulary=tokenizer.vocabulary, features=features
        )
        margins[:, present] = model.margins(tokenizer.encode(asked.texts))
    return margins


def _ids(rows: LabelledRows, parts: Parts) -> Int64Array:
    return label_ids_of(rows.labels, parts.labels)[0]


def compare(
    baselines: Baselines, parts: Parts, tokenizer: Tokenizer, network_logits: Float32Array
) -> list[Contender]:
    """How the simple models and the network alone do on the test rows.

    Args:
        baselines: From `fit_baselines`.
        parts: The labelled rows.
        tokenizer: The network's.
        network_logits: On the test rows, NaN for those without evidence. Shape
            `(test rows, labels)`.
    """
    true = _ids(parts.test, parts)
    known = np.flatnonzero(true >= 0)
    tokens = tokenizer.encode(parts.test.texts)
    majority = np.full(len(true), np.bincount(_ids(parts.training, parts)).argmax())

    def contender(name: str, predicted: Int64Array) -> Contender:
        found = measure(true[known], predicted[known], parts.labels)
        return Contender(name=name, accuracy=found.accuracy, macro_f1=found.macro_f1)

    svm, logistic = baselines.blend.model, baselines.logistic
    without_evidence = ~np.isfinite(network_logits[:, 0])
    network = np.where(without_evidence, -1, np.nan_to_num(network_logits).argmax(axis=1))
    return [
        contender("majority label", majority),
        contender("TF-IDF + logistic regression", logistic.margins(tokens).argmax(axis=1)),
        contender("TF-IDF + linear SVM", svm.margins(tokens).argmax(axis=1)),
        contender("network alone", network),
    ]


def check_baselines(
    accuracy: float, contenders: Sequence[Contender], *, required: bool
) -> str | None:
    """The honesty gate: a warning where a simple model does better.

    Args:
        accuracy: The bundle's.
        contenders: Of the same test rows.
        required: Whether to fail instead.

    Raises:
        QualityGateError: One does better, and the caller required otherwise.
    """
    baselines = [one for one in contenders if one.name not in _NO_BASELINE]
    best = max(baselines, key=lambda one: one.accuracy)
    if accuracy >= best.accuracy:
        return None
    what = (
        f"{best.name} has accuracy {best.accuracy:.4f} on the test rows, the model {accuracy:.4f}"
    )
    if required:
        raise QualityGateError(what, "use the simple model, or give more rows or --unlabelled")
    return f"{what}: prefer the simple model, or give more rows or --unlabelled texts"
