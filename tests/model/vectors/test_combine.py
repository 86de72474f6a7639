from __future__ import annotations

import numpy as np

from textbatch.model.vectors.combine import combine, extend_vocabulary
from textbatch.model.vectors.types import WordVectors
from textbatch.text.vocabulary import OOV_ID, PAD_ID, Vocabulary

VOCABULARY = Vocabulary(tokens=("[PAD]", "[OOV]", "the", "cat", "rare", "unseen"))


def source(**vectors: list[float]) -> WordVectors:
    return WordVectors(words=tuple(vectors), table=np.array([*vectors.values()], np.float32))


def test_sources_lie_side_by_side_with_like_lengths():
    own = source(the=[3, 4], cat=[0, 5], other=[9, 9])
    general = source(cat=[0, 50, 0], the=[100, 0, 0], unseen=[0, 0, 60], rare=[0, 75, 0])
    table = combine(VOCABULARY, [own, general], seen=3)
    assert (table.shape, table.dtype) == ((6, 5), np.float32)
    assert np.allclose(table[2, :2], [3, 4])
    assert np.allclose(table[3:, 2:] * 15, [[0, 50, 0], [0, 75, 0], [0, 0, 60]])
    lengths = np.linalg.norm(table[2:5, 2:], axis=1)
    assert np.isclose(lengths.mean(), 5)


def test_what_a_source_lacks_is_its_mean_over_seen_words_as_for_oov():
    own = source(the=[3, 4], cat=[0, 5])
    general = source(the=[5, 0], unseen=[0, 9])
    table = combine(VOCABULARY, [own, general], seen=3)
    assert np.allclose(table[OOV_ID], [1.5, 4.5, 5, 0])
    assert np.allclose(table[5], [1.5, 4.5, 0, 9])
    assert np.allclose(table[4], table[OOV_ID])
    assert not table[PAD_ID].any()


def test_sources_without_any_seen_word_do_no_harm():
    table = combine(VOCABULARY, [source(the=[3, 4]), source(unseen=[1, 0])], seen=3)
    assert np.isfinite(table).all()
    table = combine(VOCABULARY, [source(the=[3, 4]), source(elsewhere=[1, 0])], seen=3)
    assert not table[:, 2:].any()


def test_unseen_words_stand_last_and_the_sources_take_turns():
    base = Vocabulary(tokens=VOCABULARY.tokens[:4])
    extended = extend_vocabulary(
        base,
        rare=["rare"],
        unseen=[["a", "b", "the"], ["c", "a", "rare", "d", "e"]],
        keep=4,
        max_size=99,
    )
    assert extended.tokens == (*base.tokens, "rare", "a", "c", "b", "d")


def test_the_vocabulary_stays_within_its_size():
    base = Vocabulary(tokens=VOCABULARY.tokens[:4])
    extended = extend_vocabulary(base, rare=["rare"], unseen=[["a", "b"]], keep=9, max_size=6)
    assert extended.tokens == (*base.tokens, "rare", "a")
