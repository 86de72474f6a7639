from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pyarrow as pa
import pytest
from support.bundles import WORDS, random_bundle

from textbatch.errors import BundleError
from textbatch.model.bundle.golden import golden_texts, replayed
from textbatch.model.bundle.records import Golden
from textbatch.model.network.architecture import RecurrentLayer
from textbatch.text.normalization import split_tokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import OOV_ID, Vocabulary

VOCABULARY = Vocabulary(tokens=("[PAD]", "[OOV]", *WORDS))


def test_golden_texts_are_fixed_by_their_seed():
    texts = golden_texts(VOCABULARY, max_sequence_length=12, seed=1)
    assert texts == golden_texts(VOCABULARY, max_sequence_length=12, seed=1)
    assert texts != golden_texts(VOCABULARY, max_sequence_length=12, seed=2)


def test_golden_texts_try_all_of_the_tokenizer():
    texts = golden_texts(VOCABULARY, max_sequence_length=12, seed=0)
    tokens = Tokenizer(vocabulary=VOCABULARY, max_sequence_length=12).encode(pa.array(texts))
    assert {1, 2, 11, 12} <= set(tokens.lengths.tolist()) <= set(range(1, 13))
    assert tokens.truncated.any()
    assert not tokens.truncated.all()
    assert 0 < (tokens.token_ids == OOV_ID).mean() < 0.5
    assert any(text != text.lower() for text in texts)
    assert any("!" in text for text in texts)


def test_every_golden_text_holds_a_known_word():
    texts = golden_texts(VOCABULARY, max_sequence_length=1, seed=0)
    tokens, offsets = split_tokens(pa.array(texts))
    words = tokens.to_pylist()
    known = set(WORDS)
    for start, stop in pairwise(offsets):
        assert known & set(words[start:stop])


def test_a_vocabulary_of_one_word_is_enough():
    one = Vocabulary(tokens=("[PAD]", "[OOV]", "the"))
    texts = golden_texts(one, max_sequence_length=3, seed=0)
    assert len(texts) == 32
    assert all("the" in text.lower() for text in texts)


def test_golden_rows_that_take_long_are_replayed_in_part():
    golden = Golden(
        texts=["w " * 20_000, "b", "w " * 600_000, "a"],
        probabilities=[[0.1], [0.2], [0.3], [0.4]],
    )
    small = random_bundle(max_sequence_length=10_000).classifier.architecture
    assert replayed(golden, small).texts == [golden.texts[0], "b", "a"]
    wide = replace(small, layers=(RecurrentLayer(cell="lstm", units=2000),))
    assert replayed(golden, wide) == Golden(texts=["b", "a"], probabilities=[[0.2], [0.4]])
    with pytest.raises(BundleError, match=r"the texts of golden\.json take too long"):
        replayed(Golden(texts=golden.texts[:1], probabilities=[[0.1]]), wide)
