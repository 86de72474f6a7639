"""TF-IDF with a linear classifier: the strong simple baseline, and the other half of a blend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textbatch.batch import FeatureBatch, Float32Array, Int64Array

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: Inverse regularisation: scikit-learn's own for the machine; its own for logistic regression is
#: too strong for rows of length 1, which would make that baseline easy to beat.
_SVM_C, _LOGISTIC_C = 1.0, 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearModel:
    """A linear classifier on TF-IDF: logarithmic counts, smoothed IDF, rows of length 1.

    Attributes:
        idf: Weight of each feature (Spärck Jones 1972). Shape `(features,)`.
        weights: Shape `(features, labels)`.
        bias: Shape `(labels,)`.
    """

    idf: Float32Array
    weights: Float32Array
    bias: Float32Array

    def logits(self, features: FeatureBatch) -> Float32Array:
        """Margins of rows: a row's depend on that row alone. Shape `(rows, labels)`."""
        counts = _counts(features, len(self.idf))
        margins: Float32Array = _weighted(counts, self.idf) @ self.weights
        return margins + self.bias


def fit_svm(features: FeatureBatch, label_ids: Int64Array, *, num_features: int) -> LinearModel:
    """Fit a linear support vector machine, one label against the rest (Fan et al. 2008).

    Args:
        features: Of the training rows.
        label_ids: Their labels, from 0 without a gap. Shape `(rows,)`.
        num_features: How many features there are.
    """
    from sklearn.svm import LinearSVC

    counts = _counts(features, num_features)
    idf = _idf(counts)
    machine = LinearSVC(C=_SVM_C, random_state=0).fit(_weighted(counts, idf), label_ids)
    return _model(idf, machine.coef_, machine.intercept_)


def fit_logistic(
    features: FeatureBatch, label_ids: Int64Array, *, num_features: int
) -> LinearModel:
    """Fit logistic regression, one label against the rest; arguments as of `fit_svm`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    counts = _counts(features, num_features)
    idf = _idf(counts)
    regression = LogisticRegression(C=_LOGISTIC_C, solver="liblinear", random_state=0)
    fitted = OneVsRestClassifier(regression).fit(_weighted(counts, idf), label_ids)
    coefficients = np.concatenate([one.coef_ for one in fitted.estimators_])
    bias = np.concatenate([one.intercept_ for one in fitted.estimators_])
    return _model(idf, coefficients, bias)


def _model(
    idf: Float32Array, coefficients: NDArray[np.float64], bias: NDArray[np.float64]
) -> LinearModel:
    if len(coefficients) == 1:  # of two labels scikit-learn keeps the second one's margin
        coefficients, bias = np.concatenate([-coefficients, coefficients]), np.append(-bias, bias)
    return LinearModel(
        idf=idf,
        weights=np.ascontiguousarray(coefficients.T, np.float32),
        bias=bias.astype(np.float32),
    )


def _counts(features: FeatureBatch, num_features: int) -> csr_matrix:
    """How often each row has each feature. Shape `(rows, features)`."""
    from scipy.sparse import csr_matrix

    ones = np.ones(len(features.features), np.float32)
    shape = (len(features), num_features)
    # A copy, since adding up works in place.
    counts = csr_matrix((ones, features.features, features.offsets), shape, copy=True)
    counts.sum_duplicates()
    return counts


def _idf(counts: csr_matrix) -> Float32Array:
    num_rows, num_features = counts.shape
    rows_with = np.bincount(counts.indices, minlength=num_features)
    return np.asarray(np.log((1 + num_rows) / (1 + rows_with)) + 1, np.float32)


def _weighted(counts: csr_matrix, idf: Float32Array) -> csr_matrix:
    """Counts made TF-IDF, in place."""
    values = (1 + np.log(counts.data)) * idf[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    squares = np.bincount(rows, values.astype(np.float64) ** 2, minlength=counts.shape[0])
    counts.data = values / np.sqrt(squares).astype(np.float32)[rows]
    return counts
