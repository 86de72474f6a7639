"""Texts are split as Keras's own Tokenizer splits them."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textbatch.errors import BundleError
from textbatch.text.keras_text import KerasText
from textbatch.text.long_texts import MAX_CHARACTERS
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
RULES = KerasText(
    filters=FILTERS,
    lower=True,
    split=" ",
    char_level=False,
    keep_unknown=True,
    truncating="pre",
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def words_of_keras(text: str, rules: KerasText) -> list[str]:
    """`text_to_word_sequence` of Keras 2.15, in its own words."""
    if rules.lower:
        text = text.lower()
    if rules.char_level:
        return [*text]
    text = text.translate(str.maketrans(dict.fromkeys(rules.filters, rules.split)))
    return [word for word in text.split(rules.split) if word]


def words(texts: list[str], rules: KerasText) -> list[list[str]]:
    tokens, offsets = rules.split_tokens(pa.array(texts, pa.string()))
    found = tokens.to_pylist()
    return [found[offsets[at] : offsets[at + 1]] for at in range(len(texts))]


@settings(deadline=None)
@given(
    st.lists(TEXT, max_size=5),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.sampled_from([" ", ",", "ab", "…", "\\", "|", "\n"]),
    st.booleans(),
    st.booleans(),
)
def test_any_text_by_any_rules(texts, filters, split, lower, char_level):
    rules = replace(RULES, filters=filters, split=split, lower=lower, char_level=char_level)
    texts = [*texts, "", split * 2, f"A{split}{filters}İΣ{split}"]
    assert words(texts, rules) == [words_of_keras(text, rules) for text in texts]


@settings(deadline=None)
@given(TEXT)
def test_the_default_rules(text):
    assert words([text], RULES) == [words_of_keras(text, RULES)]


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_slices_of_an_array_are_split_as_the_whole(kind, lower):
    texts = ["x", "It's  A,b", "", "É ß", "c"]
    rules = replace(RULES, lower=lower)
    tokens, offsets = rules.split_tokens(pa.array(texts, kind).slice(1, 3))
    expected = [word for text in texts[1:4] for word in words_of_keras(text, rules)]
    assert tokens.to_pylist() == expected
    assert offsets.tolist() == [0, 3, 3, 5]


def test_the_real_tokenizer():
    legacy = pytest.importorskip("keras.src.legacy.preprocessing.text")
    texts = ["Straße, İstanbul\xa0Σας ΟΔΟΣ", "don't [stop]\tnow\r\n", "文 本,本", "…x"]
    for options in ({}, {"lower": False}, {"char_level": True}, {"split": ","}):
        tokenizer = legacy.Tokenizer(**options)
        tokenizer.fit_on_texts(texts)
        rules = replace(RULES, **options)
        names = {number: word for word, number in tokenizer.word_index.items()}
        theirs = [[names[n] for n in row] for row in tokenizer.texts_to_sequences(texts)]
        assert words(texts, rules) == theirs


def encoded(texts, *, limit=3, **changes):
    tokenizer = Tokenizer(
        vocabulary=Vocabulary(tokens=("[PAD]", "[OOV]", "a", "b", "c", "d")),
        max_sequence_length=limit,
        rules=replace(RULES, **changes),
    )
    batch = tokenizer.encode(pa.array(texts, pa.string()))
    ids, offsets = batch.token_ids.tolist(), batch.offsets
    rows = [ids[offsets[at] : offsets[at + 1]] for at in range(len(texts))]
    return rows, batch


def test_the_last_tokens_stay_as_keras_cuts_by_default():
    rows, batch = encoded(["a b c d", "d c", ""])
    assert (rows, batch.truncated.tolist()) == ([[3, 4, 5], [5, 4], []], [True, False, False])


def test_the_first_tokens_stay_on_request():
    rows, _ = encoded(["a b c d", "d"], truncating="post")
    assert rows == [[2, 3, 4], [5]]


def test_unknown_words_vanish_before_the_cut():
    rows, batch = encoded(["a x b y c z d", "x"], keep_unknown=False)
    assert rows == [[3, 4, 5], []]
    assert batch.unknown.to_pylist() == ["x", "y", "z", "x"]


def test_unknown_words_count_where_the_tokenizer_has_a_token_for_them():
    rows, batch = encoded(["x a", "[PAD] [OOV]"], filters="")
    assert rows == [[1, 2], [1, 1]]
    assert batch.unknown.to_pylist() == ["x", "[pad]", "[oov]"]


def test_a_text_that_is_written_as_a_reserved_token_is_unknown():
    rows, _ = encoded(["[PAD] a"], filters="", lower=False)
    assert rows == [[1, 2]]


def test_of_a_very_long_text_the_side_counts_that_the_network_sees():
    text = "a " * MAX_CHARACTERS + "b c d"
    assert encoded([text])[0] == [[3, 4, 5]]
    assert encoded([text], truncating="post")[0] == [[2, 2, 2]]


def test_words_with_line_breaks_come_back_from_a_bundle():
    vocabulary = Vocabulary(tokens=("[PAD]", "[OOV]", "a\nb", "a\\nb", "\\", "\n", "\\\\n"))
    assert (
        Vocabulary.from_lines(vocabulary.to_lines(escaped=True).encode(), escaped=True)
        == vocabulary
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"split": ""}, "empty text"),
        ({"split": "x" * 33}, "`split`"),
        ({"filters": "x" * 10_001}, "`filters`"),
    ],
)
def test_rules_have_bounds(changes, told):
    with pytest.raises(BundleError, match=told):
        replace(RULES, **changes)
