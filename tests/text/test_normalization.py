from __future__ import annotations

import unicodedata
from itertools import pairwise

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textbatch.text import normalization
from textbatch.text.normalization import RULES_VERSION, SURELY_NFKC, WHITE_SPACE, split_tokens

# Written out here once more: bundles rely on these rules, so a change needs another RULES_VERSION.
PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'
CJK_RANGES = (
    (0x2E80, 0x312F),
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)

# Later versions of Unicode may assign the other code points: Arrow's and Python's differ.
ASSIGNED = [
    character for character in map(chr, range(0x110000)) if unicodedata.category(character) != "Cn"
]
VALID = [character for character in ASSIGNED if unicodedata.category(character) != "Cs"]

# Control and format characters, case, compatibility forms, CJK and its edges, Hangul, marks,
# emoji, scripts with rules of their own.
ODDITIES = (
    f"aB'’{PUNCTUATION}{WHITE_SPACE}"
    "\0\x7f\xad\u180e\u200b\u200c\u200d\u2060\ufeff\ufe0f\ufffd"
    "İıΣςΑẞßǄǅŉΐᾼᎠꭰᲐაK"
    "ﬁﬃﷺ½²℀Ⅷ①㍿㎏…¨´‗：；！Ａａ０ﻻÅΩ"
    "ｶﾞがか\u3099ー々〇文本\u2e80\u312f\u31ff\u3400\u4dbf\uf900\U00020000\U0002f800"
    "한국ㄱ\u1100\u1161\u11a8"
    "e\u0300\u0301\u0307\u0323\u0345q"
    "👩💻🏳🌈👍🏽🇩🇪"
    "กำक्षן\u202e"
)
TEXTS = st.lists(
    st.text(st.characters(exclude_categories=("Cs", "Cn"))) | st.text(ODDITIES),
    max_size=8,
)


def arrow_tokens(texts: list[str] | pa.Array) -> list[list[str]]:
    strings = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    tokens, offsets = split_tokens(strings)
    flat = tokens.to_pylist()
    return [flat[start:stop] for start, stop in pairwise(offsets.tolist())]


def plain_tokens(text: str) -> list[str]:
    """The definition of a token, in plain Python."""
    pieces = []
    for character in map(plain_lower, unicodedata.normalize("NFKC", text)):
        if character.isspace() or character in PUNCTUATION:
            pieces.append(" ")
        elif any(low <= ord(character) <= high for low, high in CJK_RANGES):
            pieces.append(f" {character} ")
        else:
            pieces.append(character)
    return [token for token in "".join(pieces).split(" ") if token]


def plain_lower(character: str) -> str:
    return "i" if character == "İ" else character.lower()


def plain(texts: list[str]) -> list[list[str]]:
    return [plain_tokens(text) for text in texts]


@settings(deadline=None)
@given(TEXTS)
@example([])
@example(["", " ", "\0", "", "a"])
def test_tokens_equal_the_plain_definition(texts):
    assert arrow_tokens(texts) == plain(texts)


def test_every_assigned_character_is_treated_as_the_plain_definition_says():
    assert RULES_VERSION == 1
    assert len(VALID) > 280_000
    assert arrow_tokens(VALID) == plain(VALID)


def test_every_assigned_character_is_treated_so_between_others():
    texts = [f"Σe{character}\u0301\u1161" for character in VALID]
    assert arrow_tokens(texts) == plain(texts)


def test_before_arrow_26_every_character_is_treated_so_too(monkeypatch):
    """Its NFKC does not put letters and accents together."""
    monkeypatch.setattr(normalization, "_composes", lambda: False)
    texts = [f"e{character}\u0301" for character in VALID[::7]]
    assert arrow_tokens(texts) == plain(texts)


def test_lower_case_of_all_characters_but_one_is_one_character():
    assert [character for character in ASSIGNED if len(character.lower()) != 1] == ["İ"]


def test_white_space_is_what_python_calls_so():
    assert [character for character in ASSIGNED if character.isspace()] == list(WHITE_SPACE)


@settings(deadline=None)
@given(TEXTS, st.data())
def test_slices_and_string_types_do_not_matter(texts, data):
    start = data.draw(st.integers(0, len(texts)))
    kind = data.draw(st.sampled_from([pa.string(), pa.large_string()]))
    part = pa.array(["before", *texts, "after"], kind).slice(1 + start, len(texts) - start)
    assert arrow_tokens(part) == plain(texts[start:])


def test_examples():
    assert arrow_tokens(
        [
            "Don't PANIC!",
            "ＦＵＬＬ－ｗｉｄｔｈ",
            "日本語 text한국어",
            "ΟΔΟΣ İstanbul",
            "ﬁne…",
            "\n\t ",
        ]
    ) == [
        ["don't", "panic"],
        ["full", "width"],
        ["日", "本", "語", "text한국어"],
        ["οδοσ", "istanbul"],
        ["fine"],
        [],
    ]


SURE = [chr(code) for low, high in SURELY_NFKC for code in range(low, high + 1)]


def test_characters_that_are_not_normalized_are_normal_and_join_nothing():
    for character in SURE:
        assert unicodedata.is_normalized("NFKC", character), hex(ord(character))
        assert unicodedata.combining(character) == 0, hex(ord(character))


@given(st.text(st.sampled_from(SURE)))
def test_a_text_of_characters_that_are_not_normalized_is_in_nfkc(text):
    assert unicodedata.normalize("NFKC", text) == text
