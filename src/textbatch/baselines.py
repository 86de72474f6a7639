"""The simple models that a network has to beat, and the one that it is blended with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from textbatch.batch import Float32Array, Int64Array
from textbatch.evaluation import label_ids_of
from textbatch.model.blend import Blend
from textbatch.partition import Parts
from textbatch.quality.blending import fit_blend_weight
from textbatch.quality.linear import LinearModel, fit_logistic, fit_svm
from textbatch.quality.metrics import measure
from textbatch.report.comparison import Contender
from textbatch.text.ngrams import Ngrams
from textbatch.text.tokenizer import Tokenizer

#: With and without pairs of words: the validation rows choose. Pairs in fewer rows than this, and
#: the rarest beyond that number, are left out.
_MIN_ROWS, _MAX_PAIRS = 2, (0, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """Models fitted on all rows but the test rows.

    Attributes:
        blend: The linear model with the weight that validation gave it, which may be 0.
        logistic: TF-IDF with logistic regression, on the same features.
        validation_logits: The network's and the linear model's together, the latter fitted
            without the validation rows. Shape `(validation rows, labels)`.
    """

    blend: Blend
    logistic: LinearModel
    validation_logits: Float32Array


def fit_baselines(parts: Parts, tokenizer: Tokenizer, network_logits: Float32Array) -> Baselines:
    """Fit the linear models, and find the weight beside the network.

    Args:
        parts: The labelled rows.
        tokenizer: The network's.
        network_logits: On the validation rows, NaN for those without evidence. Shape
            `(validation rows, labels)`.
    """
    training, validation = (
        tokenizer.encode(part.texts) for part in (parts.training, parts.validation)
    )
    label_ids, _ = label_ids_of(parts.training.labels, parts.labels)
    true, _ = label_ids_of(parts.validation.labels, parts.labels)
    evidence = np.flatnonzero(np.isfinite(network_logits[:, 0]))
    candidates = []
    for max_pairs in _MAX_PAIRS:
        ngrams = Ngrams.build(
            training,
            vocabulary_size=len(tokenizer.vocabulary),
            min_rows=_MIN_ROWS,
            max_pairs=max_pairs,
        )
        linear = fit_svm(ngrams.features(training), label_ids, num_features=len(ngrams))
        margins = linear.logits(ngrams.features(validation))
        weight, loss = fit_blend_weight(network_logits[evidence], margins[evidence], true[evidence])
        candidates.append((loss, max_pairs, ngrams, weight, margins))
    _, _, ngrams, weight, margins = min(candidates, key=lambda candidate: candidate[:2])
    texts = pa.concat_arrays([parts.training.texts, parts.validation.texts])
    features, all_ids = ngrams.features(tokenizer.encode(texts)), np.concatenate([label_ids, true])
    linear = fit_svm(features, all_ids, num_features=len(ngrams))
    return Baselines(
        blend=Blend(weight=weight, ngrams=ngrams, linear=linear),
        logistic=fit_logistic(features, all_ids, num_features=len(ngrams)),
        validation_logits=np.asarray(network_logits + np.float32(weight) * margins),
    )


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
    true, _ = label_ids_of(parts.test.labels, parts.labels)
    known = np.flatnonzero(true >= 0)
    features = baselines.blend.ngrams.features(tokenizer.encode(parts.test.texts))
    frequent, _ = label_ids_of(parts.training.labels, parts.labels)
    majority = np.full(len(true), np.bincount(frequent).argmax())

    def contender(name: str, predicted: Int64Array) -> Contender:
        found = measure(true[known], predicted[known], parts.labels)
        return Contender(name=name, accuracy=found.accuracy, macro_f1=found.macro_f1)

    svm, logistic = baselines.blend.linear, baselines.logistic
    without_evidence = ~np.isfinite(network_logits[:, 0])
    network = np.where(without_evidence, -1, np.nan_to_num(network_logits).argmax(axis=1))
    return [
        contender("majority label", majority),
        contender("TF-IDF + logistic regression", logistic.logits(features).argmax(axis=1)),
        contender("TF-IDF + linear SVM", svm.logits(features).argmax(axis=1)),
        contender("network alone", network),
    ]
