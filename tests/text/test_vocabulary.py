from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import textbatch.text.vocabulary as vocabulary_module
from textbatch.errors import BundleError
from textbatch.text.normalization import split_tokens
from textbatch.text.vocabulary import OOV_ID, PAD_ID, RESERVED, Vocabulary


def build(words: str, *, min_count: int = 1, max_size: int = 100) -> tuple[str, ...]:
    tokens = pa.array(words.split(), pa.large_string())
    return Vocabulary.build(tokens, min_count=min_count, max_size=max_size).tokens


def test_frequent_tokens_come_first_and_ties_in_alphabetical_order():
    assert build("b a c c ä Z b c") == ("[PAD]", "[OOV]", "c", "b", "Z", "a", "ä")


def test_reserved_tokens_have_the_reserved_ids():
    assert (RESERVED[PAD_ID], RESERVED[OOV_ID]) == ("[PAD]", "[OOV]")


def test_rare_tokens_are_left_out():
    assert build("a a a b b c", min_count=2) == ("[PAD]", "[OOV]", "a", "b")


@pytest.mark.parametrize(
    ("max_size", "words"), [(0, ()), (2, ()), (3, ("a",)), (4, ("a", "b")), (5, ("a", "b", "c"))]
)
def test_the_largest_size_counts_the_reserved_tokens(max_size, words):
    assert build("a a a b b c", max_size=max_size) == (*RESERVED, *words)


def test_no_token_gives_the_reserved_ones_alone():
    vocabulary = Vocabulary(tokens=build(""))
    assert (len(vocabulary), vocabulary.words()) == (2, ())


@settings(deadline=None)
@given(st.lists(st.text("abcß文😀\U00010400\uffff'", min_size=1, max_size=2)), st.integers(1, 3))
def test_the_order_is_by_count_then_code_points(tokens, min_count):
    vocabulary = Vocabulary.build(pa.array(tokens, pa.string()), min_count=min_count, max_size=9)
    counts = {token: n for token, n in Counter(tokens).items() if n >= min_count}
    assert (
        vocabulary.words() == tuple(sorted(counts, key=lambda token: (-counts[token], token)))[:7]
    )


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)))))
def test_tokens_of_any_text_survive_the_file(texts):
    tokens, _ = split_tokens(pa.array(texts, pa.string()))
    vocabulary = Vocabulary.build(tokens, min_count=1, max_size=10_000)
    data = vocabulary.to_lines().encode("utf-8")
    assert Vocabulary.from_lines(data) == vocabulary
    assert vocabulary.lookup(tokens).tolist() == [
        vocabulary.tokens.index(token) for token in tokens.to_pylist()
    ]


def test_one_token_a_line():
    assert Vocabulary(tokens=(*RESERVED, "a", "\0", "\u200d")).to_lines() == (
        "[PAD]\n[OOV]\na\n\0\n\u200d\n"
    )


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_unknown_tokens_are_oov(kind):
    vocabulary = Vocabulary(tokens=(*RESERVED, "a", "b"))
    ids = vocabulary.lookup(pa.array(["b", "zzz", "a", "A", "", "b"], kind))
    assert (ids.tolist(), ids.dtype) == ([3, 1, 2, 1, 1, 3], "int32")
    assert vocabulary.lookup(pa.array([], kind)).tolist() == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not start with"),
        ("[PAD]\n", "does not start with"),
        ("[OOV]\n[PAD]\na\n", "does not start with"),
        ("a\nb\n", "does not start with"),
        ("[PAD]\r\n[OOV]\r\na\r\n", "does not start with"),
        ("\ufeff[PAD]\n[OOV]\na\n", "does not start with"),
        ("[PAD]\n[OOV]\na\n\nb\n", "empty or repeated"),
        ("[PAD]\n[OOV]\na\n\n", "empty or repeated"),
        ("[PAD]\n[OOV]\na\nb\na\n", "empty or repeated"),
        ("[PAD]\n[OOV]\n[PAD]\n", "empty or repeated"),
    ],
)
def test_malformed_files_are_refused(text, reason):
    with pytest.raises(BundleError, match=rf"vocabulary\.txt .*{reason}.*; restore the model"):
        Vocabulary.from_lines(text.encode())


def test_a_large_vocabulary_is_looked_up_in_parts(monkeypatch):
    monkeypatch.setattr(vocabulary_module, "_WORDS_AT_ONCE", 3)
    data = "\n".join((*RESERVED, *"abcdefgh")).encode()
    found = Vocabulary.from_lines(data)
    assert found.lookup(pa.array(["h", "a", "zz", "d", "[OOV]"])).tolist() == [9, 2, 1, 5, 1]
    assert found.tokens[2:4] == ("a", "b")
    assert found == Vocabulary(tokens=(*RESERVED, *"abcdefgh"))
    assert hash(found) == hash(Vocabulary(tokens=(*RESERVED, *"abcdefgh")))
    for wrong in (data + b"\na", data + b"\n\nb", b"\xff", data + b"\n[PAD]"):
        with pytest.raises(BundleError):
            Vocabulary.from_lines(wrong)
