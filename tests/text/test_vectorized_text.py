"""Texts are split as Keras's own TextVectorization splits them."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textbatch.errors import BundleError
from textbatch.text.vectorized_text import PUNCTUATION, WHITE_SPACE, VectorizedText

keras = pytest.importorskip("keras", reason="the extra train is not installed")
NAMES = ("lower_and_strip_punctuation", "lower", "strip_punctuation", None)
RULES = {
    (name, split): VectorizedText(
        lower=bool(name) and "lower" in name,
        removed=PUNCTUATION if name and "strip" in name else "",
        separators=WHITE_SPACE if split == "whitespace" else "",
    )
    for name, split in itertools.product(NAMES, ("whitespace", "character"))
}
#: Any character, and more often those that a rule could be about.
CHARACTERS = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from([*map(chr, range(128)), *"\x85\xa0\u1680\u2003\u2028\u3000\ufeffİıſKÅßΣςÉé’“"]),
)


def words(texts, rules):
    tokens, offsets = rules.split_tokens(pa.array(texts, pa.string()))
    found = tokens.to_pylist()
    return [found[offsets[at] : offsets[at + 1]] for at in range(len(texts))]


@pytest.fixture(scope="module")
def made():
    """Keras's layers by their rules."""
    return {
        key: keras.layers.TextVectorization(
            standardize=key[0], split=key[1], ragged=True, vocabulary=["a"]
        )
        for key in RULES
    }


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(CHARACTERS, max_size=25), min_size=1, max_size=4))
@example([*map(chr, range(128))])
@example(["\x1c\x1d\x1e\x1fa\x85b\xa0c\u2003d\x0be\x0cf", "A\x00B", "\ufffe\uffff\U0010ffff"])
def test_any_text_by_any_rules(made, texts):
    for key, rules in RULES.items():
        theirs = made[key]._preprocess(texts).to_list()
        theirs = [[word.decode() for word in row] for row in theirs]
        assert words(texts, rules) == theirs, key


def test_slices_of_an_array_are_split_as_the_whole():
    rules = RULES[NAMES[0], "whitespace"]
    tokens, offsets = rules.split_tokens(pa.array(["x", "It's  A-b", "", "c"]).slice(1, 2))
    assert (tokens.to_pylist(), offsets.tolist()) == (["its", "ab"], [0, 2, 2])


@pytest.mark.parametrize("changes", [{"removed": "é"}, {"removed": "!!"}, {"separators": "\xa0"}])
def test_rules_that_no_layer_has_are_refused(changes):
    with pytest.raises(BundleError, match="no set of characters"):
        VectorizedText(**{"lower": True, "removed": "", "separators": " ", **changes})
