"""TF-IDF with a linear classifier: a simple and strong baseline, and one half of a blend."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textbatch.model.linear.row_sums import offsets_of, row_sums
from textbatch.types import (
    BoolArray,
    FeatureBatch,
    Float32Array,
    Float64Array,
    Int32Array,
    Int64Array,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: Inverse strength of regularisation. For the support vector machine it is scikit-learn's default.
#: For logistic regression that default is too strong, because our rows have length 1; the baseline
#: would be too easy to beat.
_SVM_C, _LOGISTIC_C = 1.0, 30.0
#: Of a row's labels, those with a smaller share teach a linear model nothing.
_LEAST_SHARE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearModel:
    """A linear classifier on TF-IDF: logarithmic counts, smoothed IDF, rows of length 1.

    Attributes:
        idf: Inverse document frequency of each feature (Spärck Jones 1972). Shape `(features,)`.
        weights: Shape `(features, labels)`.
        bias: Shape `(labels,)`.
    """

    idf: Float32Array
    weights: Float32Array
    bias: Float32Array

    def logits(self, features: FeatureBatch) -> Float32Array:
        """Compute the margins of rows. The margins of a row depend on that row alone.

        Args:
            features: Features of the rows.

        Returns:
            Shape `(rows, labels)`.
        """
        return self._sums(_counts(features, len(self.idf))) + self.bias

    def sums(self, rows: Int64Array, features: Int64Array, num_rows: int) -> Float32Array:
        """Compute the margins of rows, without the bias, from features in any order.

        Args:
            rows: The row of each feature. Shape `(entries,)`.
            features: Shape `(entries,)`.
            num_rows: Number of rows.

        Returns:
            Shape `(num_rows, labels)`.
        """
        return self._sums(counted(rows, features, num_rows, len(self.idf)))

    def _sums(self, counts: Entries) -> Float32Array:
        entries = weighted(counts, self.idf)
        offsets = offsets_of(entries.rows, counts.num_rows)
        sums = row_sums(self.weights, entries.features, offsets, entries.values)
        return sums.astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Values of features in rows, sorted by row and feature.

    Attributes:
        num_rows: Number of rows.
        rows: Shape `(entries,)`.
        features: Shape `(entries,)`.
        values: Shape `(entries,)`.
    """

    num_rows: int
    rows: Int64Array
    features: Int64Array
    values: Float32Array

    def matrix(self, num_features: int) -> csr_matrix:
        """The same values, for scikit-learn. Shape `(rows, features)`.

        Args:
            num_features: Number of features.
        """
        from scipy.sparse import csr_matrix

        places = (self.rows, self.features)
        return csr_matrix((self.values, places), (self.num_rows, num_features))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A linear model, and the weights of features of another kind.

    Attributes:
        linear: The model of the TF-IDF features.
        others: Weights of the other features. The bias counts once for both kinds. Shape
            `(others, labels)`.
    """

    linear: LinearModel
    others: Float32Array


def fit_svm(
    features: FeatureBatch,
    label_ids: Int64Array,
    *,
    num_features: int,
    others: csr_matrix | None = None,
    weights: Float64Array | None = None,
    targets: Float32Array | None = None,
) -> Fitted:
    """Fit a linear support vector machine, one label against the rest (Fan et al. 2008).

    Args:
        features: Features of the training rows.
        label_ids: Labels of the training rows, from 0 without a gap. Shape `(rows,)`.
        num_features: Number of features.
        others: Values of other features, used without TF-IDF. Shape `(rows, others)`.
        weights: Of the rows; None if they count the same. Shape `(rows,)`.
        targets: Shares of the labels in each row; None where it has its label alone. Shape
            `(rows, labels)`.
    """
    from sklearn.svm import LinearSVC

    idf, matrix = _matrix(features, num_features, others)
    matrix, label_ids, weights = _spread(matrix, label_ids, weights, targets)
    machine = LinearSVC(C=_SVM_C, random_state=0).fit(matrix, label_ids, sample_weight=weights)
    return _fitted(idf, machine.coef_, machine.intercept_)


def fit_logistic(
    features: FeatureBatch,
    label_ids: Int64Array,
    *,
    num_features: int,
    others: csr_matrix | None = None,
    weights: Float64Array | None = None,
    targets: Float32Array | None = None,
) -> Fitted:
    """Fit logistic regression, one label against the rest.

    Args:
        features: Features of the training rows.
        label_ids: Labels of the training rows, from 0 without a gap. Shape `(rows,)`.
        num_features: Number of features.
        others: Values of other features, used without TF-IDF. Shape `(rows, others)`.
        weights: Of the rows; None if they count the same. Shape `(rows,)`.
        targets: Shares of the labels in each row; None where it has its label alone. Shape
            `(rows, labels)`.
    """
    from sklearn.linear_model import LogisticRegression

    idf, matrix = _matrix(features, num_features, others)
    matrix, label_ids, weights = _spread(matrix, label_ids, weights, targets)
    fits = [
        LogisticRegression(C=_LOGISTIC_C, solver="liblinear", random_state=0).fit(
            matrix, label_ids == label, sample_weight=weights
        )
        # Of two labels, one is the opposite of the other.
        for label in np.unique(label_ids)[-1 if label_ids.max() == 1 else 0 :]
    ]
    coefficients = np.concatenate([one.coef_ for one in fits])
    bias = np.concatenate([one.intercept_ for one in fits])
    return _fitted(idf, coefficients, bias)


def fit_several(
    features: FeatureBatch, true: BoolArray, *, num_features: int, others: csr_matrix | None = None
) -> Fitted:
    """Fit a linear support vector machine for each label, where a row may have several.

    Args:
        features: Features of the training rows.
        true: Whether each row has each label. Shape `(rows, labels)`.
        num_features: Number of features.
        others: Values of other features, used without TF-IDF. Shape `(rows, others)`.
    """
    from sklearn.svm import LinearSVC

    idf, matrix = _matrix(features, num_features, others)
    coefficients = np.zeros((true.shape[1], matrix.shape[1]))
    bias = np.where(true.all(axis=0), 1.0, -1.0)  # of labels that every row has, or none
    for label in np.flatnonzero(true.any(axis=0) & ~true.all(axis=0)):
        machine = LinearSVC(C=_SVM_C, random_state=0).fit(matrix, true[:, label])
        coefficients[label], bias[label] = machine.coef_[0], machine.intercept_[0]
    weights = np.ascontiguousarray(coefficients.T, np.float32)
    linear = LinearModel(idf=idf, weights=weights[: len(idf)], bias=bias.astype(np.float32))
    return Fitted(linear=linear, others=weights[len(idf) :])


def _matrix(
    features: FeatureBatch, num_features: int, others: csr_matrix | None
) -> tuple[Float32Array, csr_matrix]:
    """Compute IDF, and a matrix of TF-IDF followed by the other features."""
    from scipy.sparse import hstack

    counts = _counts(features, num_features)
    idf = inverse_frequencies(counts, num_features)
    matrix = weighted(counts, idf).matrix(num_features)
    return idf, matrix if others is None else hstack([matrix, others]).tocsr()


def _spread(
    matrix: csr_matrix,
    label_ids: Int64Array,
    weights: Float64Array | None,
    targets: Float32Array | None,
) -> tuple[csr_matrix, Int64Array, Float64Array | None]:
    """A row for each label that has a share of it, with that share as its weight."""
    if targets is None:
        return matrix, label_ids, weights
    rows, labels = np.nonzero(targets >= _LEAST_SHARE)
    shares = targets[rows, labels].astype(np.float64)
    return matrix[rows], labels, shares if weights is None else shares * weights[rows]


def _fitted(
    idf: Float32Array, coefficients: NDArray[np.float64], bias: NDArray[np.float64]
) -> Fitted:
    if len(coefficients) == 1:  # for two labels scikit-learn gives only the second one's margin
        coefficients, bias = np.concatenate([-coefficients, coefficients]), np.append(-bias, bias)
    weights = np.ascontiguousarray(coefficients.T, np.float32)
    linear = LinearModel(idf=idf, weights=weights[: len(idf)], bias=bias.astype(np.float32))
    return Fitted(linear=linear, others=weights[len(idf) :])


def _counts(features: FeatureBatch, num_features: int) -> Entries:
    """Count how often each row has each feature."""
    rows = np.repeat(np.arange(len(features)), np.diff(features.offsets))
    return counted(rows, features.features, len(features), num_features)


def counted(
    rows: Int64Array, features: Int32Array | Int64Array, num_rows: int, num_features: int
) -> Entries:
    """Count how often each row has each feature.

    Args:
        rows: The row of each feature, in any order. Shape `(entries,)`.
        features: Shape `(entries,)`.
        num_rows: Number of rows.
        num_features: Number of features.
    """
    places, counts = np.unique(rows * num_features + features, return_counts=True)
    rows, found = np.divmod(places, max(1, num_features))
    return Entries(num_rows=num_rows, rows=rows, features=found, values=counts.astype(np.float32))


def inverse_frequencies(counts: Entries, num_features: int) -> Float32Array:
    """IDF of each feature. Shape `(features,)`.

    Args:
        counts: How often each row has each feature.
        num_features: Number of features.
    """
    rows_with = np.bincount(counts.features, minlength=num_features)
    return np.asarray(np.log((1 + counts.num_rows) / (1 + rows_with)) + 1, np.float32)


def weighted(counts: Entries, idf: Float32Array) -> Entries:
    """Turn counts into TF-IDF, with rows of length 1.

    Args:
        counts: How often each row has each feature.
        idf: Of each feature. Shape `(features,)`.
    """
    values = (1 + np.log(counts.values)) * idf[counts.features]
    squares = np.bincount(counts.rows, values.astype(np.float64) ** 2, minlength=counts.num_rows)
    return replace(counts, values=values / np.sqrt(squares).astype(np.float32)[counts.rows])
