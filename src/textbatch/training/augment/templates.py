"""Texts from templates: patterns with slots, and typing errors.

A pattern is a text with slots in braces: `"my {product} {problem}"`. A phrase for a slot may hold
slots too. Everything random comes from the given `random.Random`, and only from its method
`random`, because Python promises for this method alone that a seed gives the same sequence in every
version.
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
#: Words that are long enough to be readable with a typo.
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How carelessly texts are typed, as shares from 0 to 1.

    Attributes:
        typos: Share of the words that have a typo.
        lower: Share of the texts that are all in lower case.
        upper: Share of the texts that are all in upper case.
    """

    typos: float = 0.0
    lower: float = 0.0
    upper: float = 0.0


def pick(random: Random, options: Sequence[_T]) -> _T:
    """Choose one of some options. All are equally likely.

    Args:
        random: Chooses.
        options: Not empty.
    """
    return options[int(random.random() * len(options))]


def fill(random: Random, pattern: str, slots: Mapping[str, Sequence[str]]) -> str:
    """Fill the slots of a pattern with phrases.

    Args:
        random: Chooses the phrases.
        pattern: Text with slots. Braces around anything that is not a name stay as they are.
        slots: Phrases for each slot.

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
    """Type a text again, with errors.

    Args:
        random: Decides which errors there are.
        text: Any text. Only words of four or more letters get typos.
        noise: How many errors there are.
    """

    def typed(word: re.Match[str]) -> str:
        return misspell(random, word[0]) if random.random() < noise.typos else word[0]

    text = _WORD.sub(typed, text)
    mark = random.random()
    if mark < noise.lower:
        return text.lower()
    return text.upper() if mark < noise.lower + noise.upper else text


def misspell(random: Random, word: str) -> str:
    """Swap two neighbouring letters, leave one out, or double one. The first letter stays.

    Args:
        random: Chooses what and where.
        word: A word. With fewer than three letters it stays as it is.
    """
    if len(word) < 3:
        return word
    # From the second letter to the second last, so that there is a letter on the right.
    at = 1 + int(random.random() * (len(word) - 2))
    before, letter, after = word[:at], word[at], word[at + 1 :]
    swapped = before + after[0] + letter + after[1:]
    return pick(random, (swapped, before + after, before + letter + letter + after))
