"""Whether word vectors know something about labels that the words alone do not.

A linear model is fitted twice, to the words of texts and to the words with the mean of their
vectors. What both lose on held-out rows tells it in a second, where a network would take minutes.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from textbatch.text.vocabulary import OOV_ID, RESERVED, Vocabulary
from textbatch.types import Float32Array, Int64Array

#: The mean length of a text's vector; that of its words is 1. More would overfit few rows.
_VECTOR_LENGTH = 0.5
_INVERSE_REGULARIZATION = 10.0
_ITERATIONS = 50
#: Rows times labels that are fitted to: more would not change the answer.
_MOST_CELLS = 500_000
#: Share of the loss that has to go. Less may be chance.
LEAST_GAIN = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRows:
    """Labelled rows as tokens.

    Attributes:
        tokens: The tokens of all texts, row after row. Shape `(tokens,)`.
        offsets: Row `i` has the tokens from `offsets[i]` to `offsets[i + 1]`. Shape `(rows + 1,)`.
        label_ids: Shape `(rows,)`.
    """

    tokens: pa.Array
    offsets: Int64Array
    label_ids: Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorTrial:
    """What a linear model loses on held-out rows, in nats a row.

    Attributes:
        without: With the words alone.
        with_vectors: With the vectors beside them.
    """

    without: float
    with_vectors: float

    @property
    def gains(self) -> bool:
        """Whether held-out rows gain by the vectors."""
        return self.with_vectors < (1 - LEAST_GAIN) * self.without


def mean_of(trials: Sequence[VectorTrial]) -> VectorTrial:
    """The mean of trials on parts of the rows that are equally large."""
    return VectorTrial(
        without=sum(one.without for one in trials) / len(trials),
        with_vectors=sum(one.with_vectors for one in trials) / len(trials),
    )


def try_vectors(
    training: TokenRows, held_out: TokenRows, words: Sequence[str], table: Float32Array
) -> VectorTrial:
    """Fit with and without vectors, and measure.

    Args:
        training: Rows to fit to.
        held_out: Rows to measure on.
        words: The words that have a vector.
        table: Their vectors. Shape `(words, dim)`.
    """
    labels = np.unique(training.label_ids)
    rows = len(training.label_ids)
    kept = np.arange(rows)
    if rows * len(labels) > _MOST_CELLS:
        size = max(1, _MOST_CELLS // len(labels))
        kept = np.sort(np.random.default_rng(0).permutation(rows)[:size])
        labels = np.unique(training.label_ids[kept])
    told = np.isin(held_out.label_ids, labels)
    if len(labels) < 2 or not told.any():
        return VectorTrial(without=0.0, with_vectors=0.0)
    fitted, measured = _words_of(training, held_out)
    fitted = fitted[kept]
    means = [_means(one, words, table) for one in (training, held_out)]
    means[0] = means[0][kept]
    centre = means[0].mean(axis=0)
    scale = np.sqrt(np.square(means[0] - centre).sum(axis=1).mean()) or 1.0
    dense = [sparse.csr_matrix((one - centre) * (_VECTOR_LENGTH / scale)) for one in means]
    truth, wanted = training.label_ids[kept], held_out.label_ids[told]
    more = sparse.hstack([fitted, dense[0]], format="csr")
    measured_more = sparse.hstack([measured, dense[1]], format="csr")
    return VectorTrial(
        without=_loss(fitted, truth, measured[told], wanted),
        with_vectors=_loss(more, truth, measured_more[told], wanted),
    )


def _loss(
    fitted: sparse.csr_matrix, truth: Int64Array, measured: sparse.csr_matrix, wanted: Int64Array
) -> float:
    model = LogisticRegression(C=_INVERSE_REGULARIZATION, max_iter=_ITERATIONS)
    # One thread: several, on a machine that is busy, take twenty times as long for so little.
    with threadpool_limits(1), warnings.catch_warnings():
        # Both are stopped after the same time, which is enough to compare them.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(fitted, truth)
    found = model.predict_log_proba(measured)
    return float(-found[np.arange(len(wanted)), np.searchsorted(model.classes_, wanted)].mean())


def _words_of(
    training: TokenRows, held_out: TokenRows
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """TF-IDF of the words that training has twice. Rows have length 1."""
    vocabulary = Vocabulary.build(training.tokens, min_count=2, max_size=1 << 20)
    # With a column for all other words, so that there is one.
    counts = [_counts(one, vocabulary)[:, OOV_ID:] for one in (training, held_out)]
    rows, having = counts[0].shape[0], np.asarray((counts[0] > 0).sum(axis=0)).ravel()
    weights = sparse.diags(np.log((1 + rows) / (1 + having)) + 1)
    found = []
    for one in counts:
        one.data = 1 + np.log(one.data)
        weighted = one @ weights
        lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        found.append((sparse.diags(1 / np.where(lengths > 0, lengths, 1)) @ weighted).tocsr())
    return found[0], found[1]


def _counts(rows: TokenRows, vocabulary: Vocabulary) -> sparse.csr_matrix:
    ids = vocabulary.lookup(rows.tokens)
    shape = (len(rows.offsets) - 1, len(vocabulary))
    found = sparse.csr_matrix((np.ones(len(ids)), ids, rows.offsets), shape=shape)
    found.sum_duplicates()
    return found


def _means(rows: TokenRows, words: Sequence[str], table: Float32Array) -> Float32Array:
    """The mean vector of each row's words that have one. Shape `(rows, dim)`."""
    counts = _counts(rows, Vocabulary(tokens=(*RESERVED, *words)))[:, len(RESERVED) :]
    known = np.asarray(counts.sum(axis=1)).ravel()
    return np.asarray((counts @ table) / np.maximum(known, 1)[:, None], np.float32)
