from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbatch.errors import UsageError
from textbatch.training.augment.templates import Noise, add_noise, fill, misspell, pick

SLOTS = {"size": ("small", "big"), "thing": ("{size} lamp", "desk")}
WORDS = st.text(st.characters(categories=["L"]))
SEEDS = st.integers(0, 2**32)


def test_slots_are_filled_with_every_phrase_also_within_phrases():
    random = Random(0)
    filled = {fill(random, "my {thing}!", SLOTS) for _ in range(100)}
    assert filled == {"my small lamp!", "my big lamp!", "my desk!"}


def test_braces_around_anything_but_a_name_stay():
    pattern = "{} { size } {a-b} }{ 100 %"
    assert fill(Random(0), pattern, SLOTS) == pattern


def test_phrases_are_equally_likely():
    random = Random(0)
    counts = Counter(pick(random, "abcd") for _ in range(4000))
    assert sorted(counts) == list("abcd")
    assert all(900 < count < 1100 for count in counts.values())


@pytest.mark.parametrize("slots", [{}, {"thing": ()}])
def test_a_slot_without_phrases_is_named(slots):
    with pytest.raises(UsageError, match=r"slot \{thing\} has no phrases"):
        fill(Random(0), "my {thing}", slots)


def test_a_slot_that_leads_back_to_itself_is_named():
    with pytest.raises(UsageError, match=r"slot \{a\} holds itself"):
        fill(Random(0), "{a}", {"a": ("{b}",), "b": ("{a}",)})


def test_texts_for_a_seed_never_change():
    random = Random(7)
    noise = Noise(typos=0.5, lower=0.5)
    texts = [add_noise(random, fill(random, "My {thing} arrived", SLOTS), noise) for _ in range(4)]
    assert texts == [
        "my small lap arrvied",
        "my small lammp arrived",
        "My deks arrived",
        "my big lamp arrvied",
    ]


@given(SEEDS, WORDS)
def test_a_typo_moves_drops_or_doubles_one_letter_after_the_first(seed, word):
    typed = misspell(Random(seed), word)
    if len(word) < 3:
        assert typed == word
        return
    assert typed[0] == word[0]
    swapped = Counter(typed) == Counter(word)
    changed = (Counter(word) - Counter(typed)) + (Counter(typed) - Counter(word))
    assert swapped if len(typed) == len(word) else changed.total() == 1


@given(SEEDS, st.text())
def test_no_noise_changes_nothing(seed, text):
    assert add_noise(Random(seed), text, Noise()) == text


@given(SEEDS)
def test_short_words_and_numbers_get_no_typo(seed):
    text = "I am at 10482, 404 E12345"
    assert add_noise(Random(seed), text, Noise(typos=1)) == text


def test_noise_comes_in_the_shares_asked_for():
    random = Random(0)
    noise = Noise(typos=0.2, lower=0.3, upper=0.1)
    texts = [add_noise(random, "Where Is Parcel", noise) for _ in range(2000)]
    typos = sum(text.split()[2].lower() != "parcel" for text in texts)
    assert 320 < typos < 480
    assert 520 < sum(text.islower() for text in texts) < 680
    assert 150 < sum(text.isupper() for text in texts) < 250
