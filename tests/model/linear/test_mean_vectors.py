"""The mean vector of a row's words as a feature: fitted as such, kept as a line for each token."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from textbatch.model.linear.mean_vectors import VECTOR_LENGTH, MeanVectors
from textbatch.model.linear.text_model import LinearFeatures, fit_linear_text
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import OOV_ID, RESERVED, Vocabulary

#: Words that mean the same as those of the other rows of a label, and share no letters with them.
WORDS = {"cash": 0, "money": 0, "funds": 0, "boat": 1, "ship": 1, "yawl": 1}


def tokenizer_of(words):
    vocabulary = Vocabulary(tokens=(*RESERVED, *words))
    return Tokenizer(vocabulary=vocabulary, max_sequence_length=20)


def vectors_of(tokenizer):
    random = np.random.default_rng(0)
    table = random.normal(0, 0.1, (len(tokenizer.vocabulary), 6)).astype(np.float32)
    for row, token in enumerate(tokenizer.vocabulary.tokens):
        table[row, WORDS.get(token, 2)] += 2
    table[: len(RESERVED)] = 0
    return table


def rows(words, copies=6):
    texts = [f"the {word} of {n}" for n in range(copies) for word in words]
    return pa.array(texts), np.array([WORDS[word] for _ in range(copies) for word in words])


def fitted(texts, labels, tokenizer, vectors, *, method="svm", **settings):
    features = LinearFeatures(**{"subwords": True, "vectors": True, **settings})
    return fit_linear_text(
        tokenizer.encode(texts),
        labels,
        vocabulary=tokenizer.vocabulary,
        features=features,
        method=method,
        vectors=vectors,
    )


@pytest.mark.parametrize("method", ["svm", "logistic"])
def test_words_that_mean_the_same_are_answered_alike(method):
    tokenizer = tokenizer_of(["the", "of", *WORDS])
    texts, labels = rows(["cash", "money", "boat", "ship"])
    fresh = pa.array(["the funds of", "the yawl of"])
    model = fitted(texts, labels, tokenizer, vectors_of(tokenizer), method=method)
    assert model.margins(tokenizer.encode(fresh)).argmax(axis=1).tolist() == [0, 1]


def test_margins_are_those_of_the_features_that_were_fitted(monkeypatch):
    tokenizer = tokenizer_of(["the", "of", *WORDS])
    vectors = vectors_of(tokenizer)
    texts, labels = rows(list(WORDS))
    kept = {}
    of = MeanVectors.of
    monkeypatch.setattr(MeanVectors, "of", lambda *given: kept.setdefault("means", of(*given)))
    by_token = MeanVectors.by_token
    monkeypatch.setattr(
        MeanVectors,
        "by_token",
        lambda self, table, weights: kept.update(weights=weights) or by_token(self, table, weights),
    )
    model = fitted(texts, labels, tokenizer, vectors)
    tokens = tokenizer.encode(texts)
    without = fit_linear_text(
        tokens,
        labels,
        vocabulary=tokenizer.vocabulary,
        features=LinearFeatures(subwords=True),
    ).subwords
    found = (
        model.subwords.by_token
        - type(without)
        .of(model.subwords.subwords, model.subwords.weights, tokenizer.vocabulary)
        .by_token
    )
    # What the lines add, with the constant in the bias, is features times weights.
    lengths = tokens.lengths
    ids = np.split(tokens.token_ids, np.cumsum(lengths)[:-1])
    sums = np.array([found[one[one != OOV_ID]].sum(axis=0) for one in ids]) / lengths[:, None]
    _, constant = by_token(kept["means"], vectors, kept["weights"])
    assert sums + constant == pytest.approx(kept["means"].values @ kept["weights"], abs=1e-5)


def test_features_are_centred_and_as_long_as_is_said():
    tokenizer = tokenizer_of(["the", "of", *WORDS])
    texts, _ = rows(list(WORDS))
    means = MeanVectors.of(tokenizer.encode(texts), vectors_of(tokenizer))
    assert means.values.mean(axis=0) == pytest.approx(0, abs=1e-6)
    assert np.square(means.values).sum(axis=1).mean() == pytest.approx(VECTOR_LENGTH**2, rel=1e-5)
    beside = means.beside(sparse.csr_matrix(np.ones((len(texts), 2))))
    assert beside.shape == (len(texts), 2 + 6)


def test_rows_without_words_and_equal_rows_have_finite_features():
    tokenizer = tokenizer_of(["the"])
    vectors = vectors_of(tokenizer)
    for texts in (["", "..."], ["the", "the"], ["unknown", "words"]):
        means = MeanVectors.of(tokenizer.encode(pa.array(texts)), vectors)
        assert np.isfinite(means.values).all()
        assert not means.values.any()


@pytest.mark.parametrize("asked", [True, False])
def test_without_vectors_the_model_is_what_it_was(asked):
    tokenizer = tokenizer_of(["the", "of", *WORDS])
    texts, labels = rows(list(WORDS))
    tokens = tokenizer.encode(texts)
    given = {"vocabulary": tokenizer.vocabulary}
    plain = fit_linear_text(tokens, labels, features=LinearFeatures(subwords=True), **given)
    # Vectors that no feature asks for, and features that ask for what is not there.
    table = None if asked else vectors_of(tokenizer)
    features = LinearFeatures(subwords=True, vectors=asked)
    same = fit_linear_text(tokens, labels, features=features, vectors=table, **given)
    assert same.margins(tokens).tobytes() == plain.margins(tokens).tobytes()


def test_a_row_has_the_same_bits_alone_and_among_others():
    tokenizer = tokenizer_of(["the", "of", "cash", "boat"])
    texts, labels = rows(list(WORDS))
    model = fitted(texts, labels, tokenizer, vectors_of(tokenizer), max_pairs=50)
    together = model.margins(tokenizer.encode(texts))
    for row in range(len(texts)):
        alone = model.margins(tokenizer.encode(texts.slice(row, 1)))
        assert alone.tobytes() == together[row : row + 1].tobytes()
