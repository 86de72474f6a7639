"""Word n-grams of texts, for benchmarks that cannot train whole models."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer


def features_of(texts: Sequence[str], others: Sequence[str]) -> tuple[csr_matrix, csr_matrix]:
    """Features of texts, which choose the n-grams, and of others.

    Args:
        texts: Texts.
        others: Other texts.
    """
    maker = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, max_features=8_000)
    return maker.fit_transform(texts), maker.transform(others)
