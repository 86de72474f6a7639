"""Character n-grams across words: against their definition, scikit-learn, and row by row."""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from textbatch.model.linear import text_characters as module
from textbatch.model.linear.character_ngrams import MAX_CHARACTERS
from textbatch.model.linear.text_characters import LONGEST, SHORTEST, TextNgrams
from textbatch.model.linear.text_model import LinearFeatures, fit_linear_text
from textbatch.text.normalization import split_tokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary
from textbatch.types import TokenBatch

TEXTS = ["refund me now", "", "สวัสดี ครับ", "日本 語 abc", "x" * 300, "now 🙂🙂 refund", "a", "ก a ข"]
PRIME = 0x100000001B3


def tokenizer_of(texts, max_size=1000):
    words, _ = split_tokens(pa.array(texts))
    vocabulary = Vocabulary.build(words, min_count=1, max_size=max_size)
    return Tokenizer(vocabulary=vocabulary, max_sequence_length=50)


def joined(text):
    """The text that the n-grams are of: no space between two tokens of a script without spaces."""
    tokens = split_tokens(pa.array([text]))[0].to_pylist()
    made, before = "", False
    for token in tokens:
        close = any(word in unicodedata.name(token[0]) for word in ("THAI", "CJK", "FACE"))
        made += ("" if close and before else " ") + token[:MAX_CHARACTERS]
        before = close
    return f"{made} " if tokens else ""


def key_of(ngram):
    key = 0
    for character in ngram:
        key = (key ^ ord(character)) * PRIME % 2**64
    return int(np.uint64(key).view(np.int64))


def ngrams_of(text):
    whole = joined(text)
    sizes = range(SHORTEST, LONGEST + 1)
    return Counter(whole[i : i + n] for n in sizes for i in range(len(whole) - n + 1))


def found_in(ngrams, tokens):
    counts = [Counter() for _ in range(len(tokens))]
    for rows, places in ngrams.parts(tokens):
        for row, place in zip(rows.tolist(), places.tolist(), strict=True):
            counts[row][int(ngrams.keys[place])] += 1
    return counts


@pytest.mark.parametrize("at_once", [1, 40, 1 << 17])
@pytest.mark.parametrize("max_size", [1000, 4])
def test_ngrams_are_those_of_the_joined_tokens(monkeypatch, at_once, max_size):
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 3 if at_once == 40 else 1024)
    # With 4 tokens most words are unknown, and are spelt from the text.
    tokenizer = tokenizer_of(TEXTS, max_size)
    tokens = tokenizer.encode(pa.array(TEXTS))
    ngrams = TextNgrams.build(tokens, tokenizer.vocabulary, min_rows=1, most=10**6)
    expected = [Counter({key_of(one): n for one, n in ngrams_of(t).items()}) for t in TEXTS]
    assert found_in(ngrams, tokens) == expected


def test_those_in_the_most_rows_are_kept():
    tokenizer = tokenizer_of(["abc", "abd", "xyz"])
    tokens = tokenizer.encode(pa.array(["abc", "abd", "xyz"]))
    twice = TextNgrams.build(tokens, tokenizer.vocabulary, min_rows=2, most=100)
    assert set(twice.keys.tolist()) == {key_of(one) for one in [" ", "a", "b", "ab", " a", " ab"]}
    assert len(TextNgrams.build(tokens, tokenizer.vocabulary, min_rows=2, most=1)) == 1


def test_no_rows_and_rows_without_tokens():
    tokenizer = tokenizer_of(["abc"])
    for texts in ([], ["", " "]):
        tokens = tokenizer.encode(pa.array(texts, pa.string()))
        ngrams = TextNgrams.build(tokens, tokenizer.vocabulary, min_rows=1, most=10)
        assert len(ngrams) == 0
        assert sum(len(rows) for rows, _ in ngrams.parts(tokens)) == 0


def fitted(texts, labels, max_size=1000):
    tokenizer = tokenizer_of(texts, max_size)
    features = LinearFeatures(characters=True)
    tokens = tokenizer.encode(pa.array(texts))
    model = fit_linear_text(tokens, labels, vocabulary=tokenizer.vocabulary, features=features)
    return tokenizer, model


def made_up(rows, seed=0):
    random = np.random.default_rng(seed)
    stems = [["refund", "invoice"], ["parcel", "courier"]]
    labels = np.arange(rows) % 2
    texts = [
        f"the {random.choice(stems[label])}{random.choice(['s', 'ed', 'ing'])} {random.integers(9)}"
        for label in labels
    ]
    return texts, labels


def test_margins_are_those_of_scikit_learn():
    texts, labels = made_up(120)
    tokenizer, model = fitted(texts, labels)
    words = TfidfVectorizer(token_pattern=r"\S+", sublinear_tf=True)
    characters = TfidfVectorizer(
        analyzer="char", ngram_range=(SHORTEST, LONGEST), sublinear_tf=True, min_df=2
    )
    spaced = [f" {text} " for text in texts]
    matrix = np.hstack(
        [words.fit_transform(texts).toarray(), characters.fit_transform(spaced).toarray()]
    )
    expected = LinearSVC(C=1.0, random_state=0).fit(matrix, labels).decision_function(matrix)
    margins = model.margins(tokenizer.encode(pa.array(texts)))
    assert margins[:, 1] == pytest.approx(expected, abs=5e-3)


def test_words_never_seen_are_known_by_what_they_share():
    texts, labels = made_up(120)
    tokenizer, model = fitted(texts, labels)
    fresh = tokenizer.encode(pa.array(["refundable", "reinvoice", "unparcelled", "courierships"]))
    assert model.margins(fresh).argmax(axis=1).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("at_once", [1, 100])
def test_a_row_has_the_same_bits_alone_and_among_others(monkeypatch, at_once):
    texts, labels = made_up(60)
    tokenizer, model = fitted([*texts, *TEXTS], np.append(labels, [0] * len(TEXTS)), max_size=9)
    everything = [*texts, *TEXTS, "zzz qqq"]
    together = model.margins(tokenizer.encode(pa.array(everything)))
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 7)
    again = model.margins(tokenizer.encode(pa.array(everything)))
    assert again.tobytes() == together.tobytes()
    for row, text in enumerate(everything):
        alone = model.margins(tokenizer.encode(pa.array([text])))
        assert alone.tobytes() == together[row].tobytes(), text


def test_without_any_frequent_ngram_the_model_has_none():
    tokenizer = tokenizer_of(["a"])
    tokens = TokenBatch(
        token_ids=np.zeros(0, np.int32),
        offsets=np.zeros(3, np.int64),
        truncated=np.zeros(2, bool),
    )
    model = fit_linear_text(
        tokens,
        np.array([0, 1]),
        vocabulary=tokenizer.vocabulary,
        features=LinearFeatures(characters=True),
    )
    assert model.characters is None
