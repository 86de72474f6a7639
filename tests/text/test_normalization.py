from __future__ import annotations

import runpy
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textbatch.text import characters, normalization
from textbatch.text.normalization import RULES_VERSION, SURELY_NFKC, WHITE_SPACE, split_tokens

TOOL = Path(__file__).parents[2] / "tools" / "character_classes.py"
class_of = runpy.run_path(str(TOOL))["class_of"]
VERSIONS = pytest.mark.parametrize("version", [1, 2])
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


def arrow_tokens(texts: list[str] | pa.Array, version: int = RULES_VERSION) -> list[list[str]]:
    strings = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    tokens, offsets = split_tokens(strings, version)
    flat = tokens.to_pylist()
    return [flat[start:stop] for start, stop in pairwise(offsets.tolist())]


def plain_tokens(text: str, version: int) -> list[str]:
    """The definition of a token, in plain Python."""
    folded = map(plain_lower, unicodedata.normalize("NFKC", text))
    pieces = map(first_rules, folded) if version == 1 else second_rules(folded)
    return [token for token in "".join(pieces).split(" ") if token]


def first_rules(character: str) -> str:
    if character.isspace() or character in PUNCTUATION:
        return " "
    if any(low <= ord(character) <= high for low, high in CJK_RANGES):
        return f" {character} "
    return character


def second_rules(folded: Iterable[str]) -> Iterator[str]:
    before = ""
    for character in folded:
        kind = "" if character.isascii() else class_of(ord(character))
        if kind == "IGNORED":
            continue
        character = "'" if character in "\u2018\u2019\u201b\u02bc" else character
        if kind == "SEPARATORS" or character.isspace() or character in PUNCTUATION:
            yield " "
        elif kind == "ALONE":
            yield f" {character} "
        elif kind == "PIECES" or (kind == "" and before in ("PIECES", "MARKS")):
            yield f" {character}"
        else:
            yield character
        before = kind


def plain_lower(character: str) -> str:
    return "i" if character == "İ" else character.lower()


def plain(texts: list[str], version: int = RULES_VERSION) -> list[list[str]]:
    return [plain_tokens(text, version) for text in texts]


@VERSIONS
@settings(deadline=None)
@given(TEXTS)
@example([])
@example(["", " ", "\0", "", "a"])
@example(["กa\u0e31b", "\u0e31", "ก\u0301", "a\u200bb", "\ufeff", "ก\u200dข", "🙂\u0e31"])
def test_tokens_equal_the_plain_definition(version, texts):
    assert arrow_tokens(texts, version) == plain(texts, version)


def test_the_table_of_characters_is_what_unicode_says():
    """It is frozen: characters that this Python's Unicode has not assigned are left out."""
    assert RULES_VERSION == 2
    names = ["", "IGNORED", "SEPARATORS", "ALONE", "PIECES", "MARKS"]
    table = characters.classes()
    for character in ASSIGNED:
        found = names[table[ord(character)]]
        assert found == ("" if character.isascii() else class_of(ord(character))), character


@VERSIONS
def test_every_assigned_character_is_treated_as_the_plain_definition_says(version):
    assert len(VALID) > 280_000
    assert arrow_tokens(VALID, version) == plain(VALID, version)


@VERSIONS
def test_every_assigned_character_is_treated_so_between_others(version):
    texts = [f"Σe{character}\u0301\u1161" for character in VALID[::3]]
    assert arrow_tokens(texts, version) == plain(texts, version)


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


@pytest.mark.parametrize("at_once", [1, 7])
def test_rows_are_folded_some_at_a_time(monkeypatch, at_once):
    texts = ["é", "“é”", "", "กข abc", "é" * 50, "🙂"] * 3
    monkeypatch.setattr(characters, "_BYTES_AT_ONCE", at_once)
    taken = []
    folded = characters._folded
    monkeypatch.setattr(
        characters, "_folded", lambda points, rows: taken.append(len(rows)) or folded(points, rows)
    )
    assert arrow_tokens(texts) == plain(texts)
    assert len(taken) > 8  # so that memory does not grow with the chunk


@pytest.mark.parametrize(
    ("text", "relative"),
    [
        ("“refund”", '"refund"'),
        ("«refund»", '"refund"'),
        ("refund—please", "refund-please"),
        ("refund–please", "refund-please"),
        ("refund\u2011please", "refund-please"),
        ("re\u00adfund", "refund"),
        ("re\u2060fund", "refund"),
        ("\ufeffrefund", "refund"),
        ("please\ufeff refund", "please refund"),
        ("refund\u200bplease", "refund please"),
        ("\u202erefund\u202c", "refund"),
        ("don’t", "don't"),
        ("donʼt", "don't"),
        ("€5", "$5"),
        ("5×5", "5*5"),
        ("refund→please", "refund>please"),
        ("¿refund? ¡please!", "?refund? !please!"),
        ("refund، please؟", "refund, please?"),
        ("refund।", "refund."),
        ("❤\ufe0f", "❤"),
        ("👍🏽", "👍"),
        ("👩\u200d💻", "👩💻"),
        ("می\u200cخواهم", "میخواهم"),
        ("日本。語、", "日本 語 "),
    ],
)
def test_other_punctuation_splits_and_folds_as_its_relative_in_ascii_does(text, relative):
    assert arrow_tokens([text]) == arrow_tokens([relative])


def test_symbols_and_letters_of_scripts_without_spaces_are_tokens_of_their_own():
    assert arrow_tokens(["refund🙂🙂ok", "สวัสดีabc", "ជំរាបសួរ", "ສະບາຍດີ", "မင်္ဂလာပါ", "བཀྲ་ཤིས།"]) == [
        ["refund", "🙂", "🙂", "ok"],
        ["ส", "วั", "ส", "ดี", "abc"],
        ["ជំ", "រា", "ប", "សួ", "រ"],
        ["ສະ", "ບາ", "ຍ", "ດີ"],
        ["မ", "င်္", "ဂ", "လာ", "ပါ"],
        ["བཀྲ", "ཤིས"],
    ]


def test_version_1_stays_as_it_was():
    assert arrow_tokens(["“refund”—please🙂 don’t re\u00adfund สวัสดี 日本。"], 1) == [
        ["“refund”—please🙂", "don’t", "re\u00adfund", "สวัสดี", "日", "本", "。"]
    ]


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
