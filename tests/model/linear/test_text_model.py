"""The linear model of texts against its definition, and what words it has never seen tell it."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from textbatch.model.linear import text_model as linear_text
from textbatch.model.linear.character_ngrams import subword_keys
from textbatch.model.linear.text_model import LinearFeatures, fit_linear_text
from textbatch.text.normalization import split_tokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary

STEMS = {"refund": 0, "invoice": 0, "parcel": 1, "courier": 1}
ENDINGS = ["s", "ed", "er", "ing", "less"]


def texts_of(rows, *, seed=0):
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for row in range(rows):
        stems = [stem for stem, label in STEMS.items() if label == row % 2]
        word = random.choice(stems) + random.choice(ENDINGS)
        texts.append(f"the {word} and the {random.choice(['one', 'two', 'three'])}")
        labels.append(row % 2)
    return pa.array(texts), np.array(labels)


def tokenizer_of(texts, **settings):
    words, _ = split_tokens(texts)
    vocabulary = Vocabulary.build(words, **{"min_count": 1, "max_size": 1000, **settings})
    return Tokenizer(vocabulary=vocabulary, max_sequence_length=20)


def fitted(texts, labels, tokenizer, **settings):
    method = settings.pop("method", "svm")
    return fit_linear_text(
        tokenizer.encode(texts),
        labels,
        vocabulary=tokenizer.vocabulary,
        features=LinearFeatures(**{"subwords": True, **settings}),
        method=method,
    )


@pytest.mark.parametrize("method", ["svm", "logistic"])
def test_words_never_seen_are_known_by_their_parts(method):
    texts, labels = texts_of(200)
    tokenizer = tokenizer_of(texts)
    fresh = pa.array(["refundable so", "reinvoice", "unparcelled", "couriership"])
    model = fitted(texts, labels, tokenizer, method=method)
    assert model.margins(tokenizer.encode(fresh)).argmax(axis=1).tolist() == [0, 0, 1, 1]
    plain = fitted(texts, labels, tokenizer, method=method, subwords=False)
    assert plain.subwords is None
    assert np.ptp(plain.margins(tokenizer.encode(fresh))[1:], axis=0).max() == 0


@pytest.mark.parametrize("vocabulary_size", [1000, 6])
def test_margins_are_the_mean_over_the_words_of_their_ngrams(vocabulary_size):
    texts, labels = texts_of(60)
    # With 6 tokens most words are unknown, and go the other way to the same sums.
    tokenizer = tokenizer_of(texts, max_size=vocabulary_size)
    model = fitted(texts, labels, tokenizer)
    found = model.subwords.margins(tokenizer.encode(texts))
    weights = dict(zip(model.subwords.subwords.keys.tolist(), model.subwords.weights, strict=True))
    for row, text in enumerate(texts.to_pylist()):
        words = text.split()
        entries = subword_keys(pa.array(words))
        sums = sum(
            (weights.get(key, np.zeros(2)) for key in entries.subwords.tolist()), np.zeros(2)
        )
        assert found[row] == pytest.approx(sums / len(words), abs=1e-5)


def test_what_is_fitted_is_what_answers():
    texts, labels = texts_of(100)
    answers = []
    for size in (1000, 6):
        tokenizer = tokenizer_of(texts, max_size=size)
        answers.append(fitted(texts, labels, tokenizer).subwords)
    # The n-grams and their weights do not depend on which words are in the vocabulary; those of
    # TF-IDF beside them do, so the weights are only alike.
    assert np.array_equal(answers[0].subwords.keys, answers[1].subwords.keys)
    counted = Counter(
        key
        for text in texts.to_pylist()
        for key in {*subword_keys(pa.array(text.split())).subwords.tolist()}
    )
    kept = sorted(key for key, rows in counted.items() if rows >= 2)
    assert answers[0].subwords.keys.tolist() == kept


def test_a_row_has_the_same_bits_alone_and_among_others():
    texts, labels = texts_of(80)
    tokenizer = tokenizer_of(texts, max_size=8)
    model = fitted(texts, labels, tokenizer, max_pairs=100)
    together = model.margins(tokenizer.encode(texts))
    for row in range(0, 80, 7):
        alone = model.margins(tokenizer.encode(texts.slice(row, 1)))
        assert alone.tobytes() == together[row : row + 1].tobytes()
    assert all(map(math.isfinite, together.ravel()))


def test_words_are_taken_apart_a_few_at_a_time_to_the_same_bits(monkeypatch):
    texts, labels = texts_of(80)
    tokenizer = tokenizer_of(texts, max_size=6)
    model = fitted(texts, labels, tokenizer)
    whole = model.margins(tokenizer.encode(texts))
    monkeypatch.setattr(linear_text, "_WORDS_AT_ONCE", 3)
    assert model.margins(tokenizer.encode(texts)).tobytes() == whole.tobytes()


def test_a_row_without_tokens_gets_the_bias():
    texts, labels = texts_of(40)
    tokenizer = tokenizer_of(texts)
    model = fitted(texts, labels, tokenizer)
    assert np.array_equal(model.margins(tokenizer.encode(pa.array([""])))[0], model.linear.bias)


def test_where_no_ngram_comes_twice_there_is_no_such_part():
    texts, labels = pa.array(["abc", "xyz"]), np.array([0, 1])
    assert fitted(texts, labels, tokenizer_of(texts)).subwords is None
