from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textbatch.text.keras_text import KerasText
from textbatch.text.long_texts import MAX_CHARACTERS, windows_of
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import OOV_ID, RESERVED, Vocabulary
from textbatch.types import TokenBatch

VOCABULARY = Vocabulary(tokens=(*RESERVED, *"abcdefghij"))
PRE = KerasText(
    filters="", lower=True, split=" ", char_level=False, keep_unknown=True, truncating="pre"
)


def tokenizer(on_long="auto", limit=4, **more) -> Tokenizer:
    return Tokenizer(vocabulary=VOCABULARY, max_sequence_length=limit, on_long=on_long, **more)


def words(tokens: TokenBatch) -> list[str]:
    bounds = pairwise(tokens.offsets.tolist())
    return [
        "".join(VOCABULARY.tokens[one] for one in tokens.token_ids[start:stop])
        for start, stop in bounds
    ]


def encoded(texts: list[str], **settings) -> TokenBatch:
    spaced = [" ".join(text) for text in texts]
    return tokenizer(**settings).encode(pa.array(spaced, pa.large_string()))


@pytest.mark.parametrize(
    ("on_long", "limit", "found"),
    [
        ("auto", 4, "abcd"),
        ("head", 4, "abcd"),
        ("tail", 4, "fghi"),
        ("head-tail", 4, "abhi"),
        ("head-tail", 5, "abchi"),
        ("head-tail", 1, "a"),
        ("window", 4, "abcdefghi"),
    ],
)
def test_the_part_that_was_asked_for_stays(on_long, limit, found):
    tokens = encoded(["a", "abcdefghi", ""], on_long=on_long, limit=limit)
    assert words(tokens) == ["a", found, ""]
    assert tokens.truncated.tolist() == [False, on_long != "window", False]


def test_a_model_that_was_trained_on_last_tokens_keeps_them_unless_told():
    assert words(encoded(["abcdef"], rules=PRE)) == ["cdef"]
    assert words(encoded(["abcdef"], rules=PRE, on_long="head")) == ["abcd"]


@pytest.mark.parametrize(
    ("on_long", "found"), [("head", "aa"), ("tail", "cc"), ("head-tail", "ac"), ("window", None)]
)
def test_of_a_very_long_text_the_right_part_is_split(on_long, found):
    text = "a a " + "b " * MAX_CHARACTERS + "c c"
    one = tokenizer(on_long, limit=2)
    tokens = one.encode(pa.array([text, "a b"], pa.large_string()))
    assert tokens.truncated.tolist() == [True, False]
    if found:
        assert words(tokens) == [found, "ab"]
    else:
        assert tokens.lengths.tolist() == [MAX_CHARACTERS // 2, 2]


def test_tokenizers_that_look_at_other_parts_share_no_split():
    assert tokenizer("head").splitting == tokenizer().splitting
    assert tokenizer("tail").splitting != tokenizer().splitting


@settings(deadline=None)
@given(st.lists(st.text("abcz", max_size=30), min_size=1, max_size=5), st.integers(1, 9))
def test_windows_cover_each_row_evenly_and_none_is_empty_of_known_tokens(texts, size):
    tokens = encoded(texts, on_long="window")
    rows = np.flatnonzero([bool(set(text) - {"z"}) for text in texts])
    windows = windows_of(tokens, rows, size)
    assert set(windows.rows.tolist()) == set(rows.tolist())
    assert windows.tokens.lengths.max(initial=0) <= size
    for row in rows.tolist():
        whole = tokens.token_ids[tokens.offsets[row] : tokens.offsets[row + 1]]
        mine = np.flatnonzero(windows.rows == row)
        assert set(windows.tokens.lengths[mine].tolist()) == {min(size, len(whole))}
        parts = [
            windows.tokens.token_ids[windows.tokens.offsets[one] : windows.tokens.offsets[one + 1]]
            for one in mine
        ]
        assert all((part != OOV_ID).any() for part in parts)
        assert len(parts) <= -(-len(whole) // size)
        assert sum((part != OOV_ID).sum() for part in parts) >= (whole != OOV_ID).sum()


def test_the_mean_of_one_window_has_its_bits():
    windows = windows_of(encoded(["ab", "abcdef"], on_long="window"), np.array([0, 1]), 4)
    values = np.float32([[0.1, -3.3], [1, 2], [4, 8]])
    rows, means = windows.means(values)
    assert rows.tolist() == [0, 1]
    assert means.dtype == np.float32
    assert means.tolist() == [values[0].tolist(), [2.5, 5.0]]
