from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from textbatch.model.linear.character_ngrams import MAX_CHARACTERS, Subwords, subword_keys
from textbatch.model.linear.hash_index import KeyIndex

WORDS = ["", "a", "be", "refund", "déjà", "東", "🙂🙂", "don't", "refund"]


def ngrams_of(word):
    marked = f"<{word}>"
    return [marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1)]


def keys_of(words):
    entries = subword_keys(pa.array(words, pa.string()))
    return [entries.subwords[entries.words == row].tolist() for row in range(len(words))]


def test_every_ngram_has_its_own_key():
    texts = {}
    for word, keys in zip(WORDS, keys_of(WORDS), strict=True):
        assert len(keys) == len(ngrams_of(word)), word
        for text, key in zip(ngrams_of(word), keys, strict=True):
            assert texts.setdefault(text, key) == key
    assert len({*texts.values()}) == len(texts) > 30


def test_a_word_has_the_same_keys_alone_and_among_others():
    together = keys_of(WORDS)
    for word, keys in zip(WORDS, together, strict=True):
        assert keys_of([word]) == [keys]


def test_keys_do_not_change():
    # Bundles hold them.
    prime, key = 0x100000001B3, 0
    for character in "<a>":
        key = (key ^ ord(character)) * prime % 2**64
    assert keys_of(["a"]) == [[int(np.uint64(key).view(np.int64))]]


def test_there_may_be_no_word():
    entries = subword_keys(pa.array([], pa.string()))
    assert len(entries.words) == len(entries.subwords) == 0


def test_of_a_long_word_the_beginning_is_looked_at():
    long = "ab" * 50_000
    assert keys_of([long]) == keys_of([long[:MAX_CHARACTERS]])


def test_only_known_ngrams_are_found():
    known = np.unique(subword_keys(pa.array(["refund", "be"])).subwords)
    found = Subwords(keys=known).of_words(pa.array(["refunds", "zzz", "be"]))
    # "<re" to "fund", without what the s changes: "nds", "ds>", "unds", …
    assert (found.words == 0).sum() == len({*ngrams_of("refund")} & {*ngrams_of("refunds")})
    assert (found.words == 1).sum() == 0
    assert (found.words == 2).sum() == len(ngrams_of("be"))


@pytest.mark.parametrize("size", [0, 1, 7, 5000])
def test_keys_are_found_where_they_stand(size):
    random = np.random.default_rng(0)
    keys = np.unique(random.integers(-(2**63), 2**63 - 1, size))
    index = KeyIndex(keys=keys)
    assert index.places(keys).tolist() == list(range(len(keys)))
    assert (index.places(keys + 1)[~np.isin(keys + 1, keys)] == -1).all()
