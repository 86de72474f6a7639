"""Texts from templates: patterns with slots, and the noise of hurried typing.

A pattern is a text with slots in braces, `"my {product} {problem}"`; a phrase for a slot may hold
slots itself. Everything random comes from the `random.Random` given, and only from its method
`random`: the one method whose sequence Python promises to keep for a seed in every version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from textbatch.errors import UsageError

_T = TypeVar("_T")
#: A slot in a pattern.
SLOT = re.compile(r"\{(\w+)\}")
#: Runs of letters that are long enough to stay readable with a typo.
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How carelessly texts are typed, as shares from 0 to 1.

    Attributes:
        typos: Of the words, those with a typo.
        lower: Of the texts, those all in lower case.
        upper: Of the texts, those all in upper case.
    """

    typos: float = 0.0
    lower: float = 0.0
    upper: float = 0.0


def pick(random: Random, options: Sequence[_T]) -> _T:
    """Choose one of the options, each as likely as the others."""
    return options[int(random.random() * len(options))]


def fill(random: Random, pattern: str, slots: Mapping[str, Sequence[str]]) -> str:
    """Fill a pattern's slots with phrases.

    Args:
        random: Chooses the phrases.
        pattern: Text with slots; braces around anything but a name stay as they are.
        slots: Phrases for each slot name.

    Raises:
        UsageError: A slot has no phrases, or a phrase holds the slot that it fills.
    """
    return _fill(random, pattern, slots, ())


def _fill(
    random: Random, pattern: str, slots: Mapping[str, Sequence[str]], inside: tuple[str, ...]
) -> str:
    def phrase(slot: re.Match[str]) -> str:
        name = slot[1]
        if not slots.get(name):
            raise UsageError(f"template slot {{{name}}} has no phrases", "add some for that name")
        if name in inside:
            raise UsageError(f"template slot {{{name}}} holds itself", "take it out of its phrases")
        return _fill(random, pick(random, slots[name]), slots, (*inside, name))

    return SLOT.sub(phrase, pattern)


def add_noise(random: Random, text: str, noise: Noise) -> str:
    """Type a text again, carelessly.

    Args:
        random: Decides what goes wrong where.
        text: Any text; only words of four letters and more get typos.
        noise: How much goes wrong.
    """

    def typed(word: re.Match[str]) -> str:
        return misspell(random, word[0]) if random.random() < noise.typos else word[0]

    text = _WORD.sub(typed, text)
    mark = random.random()
    if mark < noise.lower:
        return text.lower()
    return text.upper() if mark < noise.lower + noise.upper else text


def misspell(random: Random, word: str) -> str:
    """Swap two neighbouring letters, drop one, or double one; the first letter stays.

    Args:
        random: Chooses what and where.
        word: At least three letters; a shorter one comes back unchanged.
    """
    if len(word) < 3:
        return word
    # From the second letter to the last but one, so that each has a right neighbour.
    at = 1 + int(random.random() * (len(word) - 2))
    before, letter, after = word[:at], word[at], word[at + 1 :]
    swapped = before + after[0] + letter + after[1:]
    return pick(random, (swapped, before + after, before + letter + letter + after))
