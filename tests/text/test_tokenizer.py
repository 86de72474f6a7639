from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textbatch.text.keras_text import KerasText
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import RESERVED, Vocabulary
from textbatch.types import TokenBatch

VOCABULARY = Vocabulary(tokens=(*RESERVED, "a", "b", "c", "文"))
IDS = {"a": 2, "b": 3, "c": 4, "文": 5}
TEXTS = st.lists(st.text("abcdAB文 .", max_size=12), max_size=8)


def encode(texts: list[str] | pa.Array, limit: int = 4) -> TokenBatch:
    strings = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    return Tokenizer(vocabulary=VOCABULARY, max_sequence_length=limit).encode(strings)


def rows(tokens: TokenBatch) -> list[list[int]]:
    bounds = pairwise(tokens.offsets.tolist())
    return [tokens.token_ids[start:stop].tolist() for start, stop in bounds]


def test_tokens_become_ids_and_unknown_ones_oov():
    tokens = encode(["a B zzz", "文文c", "A.b"])
    assert rows(tokens) == [[2, 3, 1], [5, 5, 4], [2, 3]]
    assert (tokens.token_ids.dtype, tokens.offsets.dtype) == ("int32", "int64")


def test_long_texts_keep_their_first_tokens_and_are_marked():
    tokens = encode(["a b c a", "c c c a b", "", "b" * 9, "文" * 9])
    assert rows(tokens) == [[2, 3, 4, 2], [4, 4, 4, 2], [], [1], [5, 5, 5, 5]]
    assert tokens.truncated.tolist() == [False, True, False, False, True]


@pytest.mark.parametrize("texts", [[], [""], ["", " ", "..."], ["", "a", ""]])
def test_rows_without_a_token_have_length_0(texts):
    tokens = encode(texts)
    assert len(tokens) == len(texts)
    assert tokens.lengths.tolist() == [int("a" in text) for text in texts]
    assert not tokens.truncated.any()


@settings(deadline=None)
@given(TEXTS, st.integers(1, 5), st.data())
def test_each_row_is_encoded_as_if_it_were_alone(texts, limit, data):
    start = data.draw(st.integers(0, len(texts)))
    kind = data.draw(st.sampled_from([pa.string(), pa.large_string()]))
    part = pa.array(["a b", *texts, "c"], kind).slice(1 + start, len(texts) - start)
    tokens = encode(part, limit)
    expected = []
    for text in texts[start:]:
        spaced = text.lower().replace("文", " 文 ").replace(".", " ")
        expected.append([IDS.get(word, 1) for word in spaced.split()])
    assert rows(tokens) == [ids[:limit] for ids in expected]
    assert tokens.truncated.tolist() == [len(ids) > limit for ids in expected]
    assert tokens.offsets[0] == 0
    assert tokens.offsets[-1] == len(tokens.token_ids)


def test_split_texts_serve_other_vocabularies_and_lengths():
    texts = pa.array(["a b c a b", "", "zzz a", "b" * 9], pa.large_string())
    first = Tokenizer(vocabulary=VOCABULARY, max_sequence_length=4)
    other = Tokenizer(vocabulary=Vocabulary(tokens=(*RESERVED, "zzz")), max_sequence_length=2)
    assert first.splitting == other.splitting
    shared = first.split(texts)
    for one in (first, other):
        alone, found = one.encode(texts), one.encode_split(shared)
        assert rows(found) == rows(alone)
        assert found.truncated.tolist() == alone.truncated.tolist()
        assert found.unknown.equals(alone.unknown)


def test_only_what_decides_the_split_tells_rules_apart():
    rules = KerasText(
        filters="!", lower=True, split=" ", char_level=False, keep_unknown=True, truncating="pre"
    )

    def splitting(**changes):
        changed = replace(rules, **changes)
        return Tokenizer(vocabulary=VOCABULARY, max_sequence_length=4, rules=changed).splitting

    assert splitting(keep_unknown=False) == splitting()
    for change in ({"filters": "?"}, {"lower": False}, {"split": ","}, {"truncating": "post"}):
        assert splitting(**change) != splitting()
