from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import OOV_ID, PAD_ID, Vocabulary
from textbatch.training.augment.alterations import Alterations, Shares
from textbatch.training.augment.nearest_words import nearest_words
from textbatch.training.augment.synonyms import Synonyms, parse_groups
from textbatch.types import TokenBatch

WORDS = ("please", "refund", "money", "back", "parcel", "courier", "late", "now", "my", "the")
VOCABULARY = Vocabulary(tokens=("[PAD]", "[OOV]", *WORDS))
TOKENIZER = Tokenizer(vocabulary=VOCABULARY, max_sequence_length=50)
GROUPS = parse_groups("refund, money back\nparcel, packet\n")
ALL = ("synonyms", "neighbours", "swap", "delete", "typos")
WHOLLY = Shares(rows=1.0, words=0.3, phrases=1.0)


def texts(rows: int, *, seed: int = 0) -> TokenBatch:
    random = np.random.default_rng(seed)
    lines = [" ".join(random.choice(WORDS, random.integers(1, 15))) for _ in range(rows)]
    return TOKENIZER.encode(pa.array(lines))


def alterations(
    tokens: TokenBatch, *methods: str, shares: Shares | None = None, groups=GROUPS
) -> Alterations:
    near = np.zeros((len(VOCABULARY), 3), np.int32)
    near[VOCABULARY.tokens.index("late"), 0] = VOCABULARY.tokens.index("now")
    return Alterations(
        tokens,
        methods,
        vocabulary=VOCABULARY,
        neighbours=near,
        synonyms=Synonyms(groups, VOCABULARY),
        shares=shares,
    )


def rows_of(tokens: TokenBatch) -> list[list[str]]:
    words = [VOCABULARY.tokens[token] for token in tokens.token_ids]
    return [
        words[begin:end] for begin, end in zip(tokens.offsets, tokens.offsets[1:], strict=False)
    ]


def altered(line: str, method: str, *, shares: Shares = WHOLLY, passes: int = 60) -> set[str]:
    """What a text becomes in many passes."""
    source = alterations(TOKENIZER.encode(pa.array([line])), method, shares=shares)
    random = np.random.default_rng(0)
    return {" ".join(rows_of(source.alter(random))[0]) for _ in range(passes)}


def test_every_pass_alters_half_of_the_rows_and_other_ones():
    tokens = texts(2000)
    source = alterations(tokens, "delete")
    random = np.random.default_rng(0)
    before = rows_of(tokens)
    passes = [rows_of(source.alter(random)) for _ in range(2)]
    for shown in passes:
        same = np.array([new == old for new, old in zip(shown, before, strict=True)])
        # A row of one word, or of one after chance, keeps it: so a little more than half.
        assert 0.5 < same.mean() < 0.6
    assert passes[0] != passes[1]


def test_a_seed_gives_the_same_passes():
    tokens = texts(300)
    runs = []
    for _ in range(2):
        source, random = alterations(tokens, *ALL), np.random.default_rng(5)
        runs.append([rows_of(source.alter(random)) for _ in range(3)])
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]


@pytest.mark.parametrize("methods", [(), *((method,) for method in ALL), ALL])
def test_rows_stay_as_many_and_none_is_empty(methods):
    tokens = texts(500)
    before = tokens.token_ids.copy()
    shown = alterations(tokens, *methods, shares=WHOLLY).alter(np.random.default_rng(1))
    assert len(shown) == len(tokens)
    assert shown.lengths.min() >= 1
    assert shown.offsets[-1] == len(shown.token_ids)
    assert PAD_ID not in shown.token_ids
    assert np.array_equal(tokens.token_ids, before)


def test_swapping_keeps_every_rows_words_and_moves_each_by_one_place_at_most():
    tokens = texts(500)
    shown = alterations(tokens, "swap", shares=WHOLLY).alter(np.random.default_rng(1))
    before, after = rows_of(tokens), rows_of(shown)
    assert [Counter(row) for row in after] == [Counter(row) for row in before]
    assert before != after
    assert altered("please refund now", "swap") == {
        "please refund now",  # the last word has none to swap with
        "refund please now",
        "please now refund",
    }


def test_deleting_takes_words_and_leaves_the_others_in_order():
    assert altered("please refund now", "delete") >= {"refund now", "please now", "please refund"}
    assert altered("please", "delete") == {"please"}


def test_neighbours_replace_words_that_have_one():
    assert altered("late courier", "neighbours") == {"late courier", "now courier"}


def test_typos_make_words_unknown_and_spare_short_ones():
    assert altered("my the now", "typos") == {"my the now"}
    assert "[OOV]" in altered("parcel", "typos")
    assert all(len(line.split()) == 2 for line in altered("parcel late", "typos"))


def test_synonyms_replace_whole_phrases_by_phrases_of_other_lengths():
    assert altered("please refund now", "synonyms") == {"please money back now"}
    assert altered("money back money money back", "synonyms") == {"refund money refund"}
    half = Shares(rows=1.0, phrases=0.5)
    assert altered("refund refund", "synonyms", shares=half) == {
        "refund refund",
        "money back refund",
        "refund money back",
        "money back money back",
    }


def test_synonyms_do_not_reach_into_the_next_row():
    tokens = TOKENIZER.encode(pa.array(["my money", "back now"]))
    shown = alterations(tokens, "synonyms", shares=WHOLLY).alter(np.random.default_rng(0))
    assert rows_of(shown) == [["my", "money"], ["back", "now"]]


def test_synonyms_beyond_the_vocabulary_are_not_used():
    assert altered("parcel late", "synonyms") == {"parcel late"}


def test_unknown_words_stay_unknown():
    tokens = TOKENIZER.encode(pa.array(["zzz qqq"] * 50))
    shown = alterations(tokens, *ALL, shares=WHOLLY).alter(np.random.default_rng(0))
    assert set(shown.token_ids) == {OOV_ID}


def test_nearest_words_are_those_of_a_plain_search():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(3000, 6)).astype(np.float32)
    vectors[:2] = 0
    vectors[7] = 0
    found = nearest_words(vectors, count=4, least=0.9)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(norms > 0, norms, 1)
    for word in (2, 3, 7, 1500, 2999):
        cosines = unit @ unit[word]
        cosines[[0, 1, word]] = -1
        best = [other for other in np.argsort(-cosines)[:4] if cosines[other] >= 0.9]
        assert found[word].tolist() == best + [PAD_ID] * (4 - len(best))
    assert not found[:2].any()
    assert not found[7].any()
    assert (found[2:] > OOV_ID).any()


@pytest.mark.parametrize("words", [0, 1, 2])
def test_few_words_have_few_neighbours(words):
    vectors = np.concatenate([np.zeros((2, 3)), np.ones((words, 3))]).astype(np.float32)
    found = nearest_words(vectors, count=3)
    assert found.shape == (words + 2, 3)
    assert (found > 0).sum() == (2 if words == 2 else 0)
