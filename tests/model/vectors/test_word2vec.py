from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from textbatch.model.vectors.types import VectorSettings
from textbatch.model.vectors.word2vec import train_vectors
from textbatch.text.normalization import split_tokens
from textbatch.text.vocabulary import OOV_ID, PAD_ID, Vocabulary
from textbatch.types import Float32Array

SETTINGS = VectorSettings(dim=12, window=3, epochs=40)
PETS, TOOLS = ("cat", "dog", "fur", "paw"), ("saw", "nail", "wood", "drill")


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    """Sentences about pets or about tools, never both, and now and then an odd word."""
    random = np.random.default_rng(0)
    sentences = [
        " ".join([*random.choice(words, 5), "the"]) for words in (PETS, TOOLS) for _ in range(200)
    ]
    return [*sentences, "rare", "the odd cat"]


def vectors(corpus: list[str], vocabulary: Vocabulary, *, seed: int = 0) -> Float32Array:
    tokens, offsets = split_tokens(pa.array(corpus))
    return train_vectors(
        tokens.to_pylist(), offsets.tolist(), vocabulary, settings=SETTINGS, seed=seed
    )


@pytest.fixture(scope="module")
def vocabulary(corpus: list[str]) -> Vocabulary:
    return Vocabulary.build(split_tokens(pa.array(corpus))[0], min_count=2, max_size=100)


def test_the_same_seed_gives_the_same_table_and_another_seed_another(corpus, vocabulary):
    table = vectors(corpus, vocabulary)
    assert vectors(corpus, vocabulary).tobytes() == table.tobytes()
    assert not np.array_equal(vectors(corpus, vocabulary, seed=1), table)


def test_padding_is_zero_and_an_unknown_word_is_the_mean_of_the_known(corpus, vocabulary):
    table = vectors(corpus, vocabulary)
    assert (table.shape, table.dtype) == ((len(vocabulary), SETTINGS.dim), np.float32)
    assert not table[PAD_ID].any()
    assert np.allclose(table[OOV_ID], table[2:].mean(axis=0))
    assert table[2:].any(axis=1).all()


def test_words_that_occur_together_are_nearer_than_others(corpus, vocabulary):
    table = vectors(corpus, vocabulary)
    units = table[2:] / np.linalg.norm(table[2:], axis=1, keepdims=True)
    cosine = units @ units.T
    words = list(vocabulary.words())
    pets, tools = [words.index(word) for word in PETS], [words.index(word) for word in TOOLS]
    across = cosine[np.ix_(pets, tools)].max()
    for together in (pets, tools):
        assert cosine[np.ix_(together, together)].min() > across


def test_rows_of_the_table_follow_the_vocabulary_and_not_the_texts(corpus, vocabulary):
    turned = Vocabulary(tokens=(*vocabulary.tokens[:2], *reversed(vocabulary.words())))
    table = vectors(corpus, turned)
    units = table[2:] / np.linalg.norm(table[2:], axis=1, keepdims=True)
    near = units @ units[turned.words().index("cat")]
    ranked = [turned.words()[index] for index in np.argsort(-near)]
    assert set(ranked[:4]) == set(PETS)


def test_a_vocabulary_of_one_word_is_enough():
    one = Vocabulary(tokens=("[PAD]", "[OOV]", "the"))
    table = vectors(["the the", "the end"], one)
    assert np.isfinite(table).all()
    assert table[2].any()


def test_the_words_of_all_passes_are_told(corpus, vocabulary):
    told: list[int] = []
    tokens, offsets = split_tokens(pa.array(corpus, pa.large_string()))
    train_vectors(
        tokens.to_pylist(),
        offsets.tolist(),
        vocabulary,
        settings=SETTINGS,
        seed=0,
        on_words=told.append,
    )
    assert sum(told) == SETTINGS.epochs * len(tokens)
