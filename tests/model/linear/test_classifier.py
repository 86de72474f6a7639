from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.svm import LinearSVC

from textbatch.model.linear.blend_weight import fit_blend_weight
from textbatch.model.linear.classifier import fit_logistic, fit_svm
from textbatch.model.linear.ngrams import Ngrams
from textbatch.types import FeatureBatch, TokenBatch

SIZE = 60


def rows_of(labels, *, seed=0):
    """Rows whose words lean to those of their label, and one row without a known word."""
    random = np.random.default_rng(seed)
    rows = [
        np.where(
            random.random(12) < 0.4,
            2 + label * 10 + random.integers(10, size=12),
            random.integers(2, SIZE, size=12),
        )
        for label in labels
    ]
    rows[-1][:] = 1
    return TokenBatch(
        token_ids=np.concatenate(rows).astype(np.int32),
        offsets=np.arange(len(rows) + 1) * 12,
        truncated=np.zeros(len(rows), bool),
    )


def features_of(num_labels, rows=240):
    labels = np.arange(rows) % num_labels
    tokens = rows_of(labels)
    ngrams = Ngrams.build(tokens, vocabulary_size=SIZE, min_rows=2, max_pairs=1000)
    return ngrams, ngrams.features(tokens), labels


def matrix(features, width):
    ones = np.ones(len(features.features))
    found = csr_matrix(
        (ones, features.features, features.offsets), (len(features), width), copy=True
    )
    found.sum_duplicates()
    return found


@pytest.mark.parametrize("num_labels", [2, 4])
def test_margins_are_those_of_scikit_learn(num_labels):
    ngrams, features, labels = features_of(num_labels)
    model = fit_svm(features, labels, num_features=len(ngrams)).linear
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(matrix(features, len(ngrams)))
    expected = LinearSVC(C=1.0, random_state=0).fit(weighted, labels).decision_function(weighted)
    if num_labels == 2:
        expected = np.stack([-expected, expected], axis=1)
    assert model.logits(features) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("fit", [fit_svm, fit_logistic])
@pytest.mark.parametrize("num_labels", [2, 5])
def test_it_learns_what_the_words_say(fit, num_labels):
    ngrams, features, labels = features_of(num_labels)
    model = fit(features, labels, num_features=len(ngrams)).linear
    fresh = ngrams.features(rows_of(labels, seed=1))
    right = model.logits(fresh).argmax(axis=1) == labels
    assert right.mean() > 1.5 / num_labels


def test_a_row_has_the_same_bits_alone_and_among_others():
    ngrams, features, labels = features_of(3)
    model = fit_svm(features, labels, num_features=len(ngrams)).linear
    together = model.logits(features)
    for row in range(len(features)):
        part = slice(features.offsets[row], features.offsets[row + 1])
        own = features.features[part]
        alone = FeatureBatch(features=own, offsets=np.array([0, len(own)]))
        assert (model.logits(alone)[0] == together[row]).all()
    # The last row has no feature: the bias alone, and no NaN.
    assert (together[-1] == model.bias).all()


def test_a_model_that_knows_nothing_gets_no_weight():
    random = np.random.default_rng(0)
    labels = random.integers(3, size=3000)
    good = np.eye(3, dtype=np.float32)[labels] * 2 + random.normal(0, 1, (3000, 3))
    noise = random.normal(0, 1, (3000, 3)).astype(np.float32)
    assert fit_blend_weight(good.astype(np.float32), noise, labels)[0] == 0.0


def test_two_models_that_know_different_things_are_better_together():
    random = np.random.default_rng(0)
    labels = random.integers(3, size=3000)
    truth = np.eye(3)[labels] * 2
    one, other = ((truth + random.normal(0, 1.5, (3000, 3))).astype(np.float32) for _ in range(2))
    weight, loss = fit_blend_weight(one, other, labels)
    alone = fit_blend_weight(one, np.zeros_like(one), labels)[1]
    assert 0.5 <= weight <= 2
    assert loss < alone
