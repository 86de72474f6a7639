"""What is known of each character, as tables for programs that have no Unicode of their own.

The tables are made of the functions that `score` uses: Arrow's, and Python's `unicodedata`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.text.characters import ALONE, SEPARATOR, WORD
from textbatch.text.characters import classes as newest_classes
from textbatch.text.normalization import CJK_RANGES, OLDEST_RULES, PUNCTUATION, WHITE_SPACE
from textbatch.types import Int32Array, Int64Array

_CODE_POINTS, _PAGE = 0x110000, 256
#: Where all characters are that have two cases, or that NFKC changes. The rest is Han, surrogates,
#: private use, and what Unicode has not given away.
_RANGES = (
    *((0x0, 0x3400), (0x4DC0, 0x4E00), (0xA000, 0xD800), (0xF900, 0x20000), (0x2F800, 0x2FA20)),
    (0xE0000, 0xE1000),
)
_HANGUL = range(0xAC00, 0xD7A4)
#: In a key of two characters, the first is above these bits.
PAIR_BITS = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterTable:
    """A whole number for each character.

    Attributes:
        pages: For each 256 characters the number of their page. Shape `(4352,)`.
        cells: The pages, one after the other. Shape `(256 × pages,)`.
    """

    pages: Int32Array
    cells: Int32Array

    @classmethod
    def of(cls, values: Int32Array) -> CharacterTable:
        """Make the table from one value for each character. Equal pages are stored once."""
        blocks = values.reshape(-1, _PAGE)
        distinct, pages = np.unique(blocks, axis=0, return_inverse=True)
        return cls(pages=pages.ravel().astype(np.int32), cells=distinct.ravel().astype(np.int32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansions:
    """Characters that become several.

    Attributes:
        counts: How many characters each one becomes.
        starts: Where these are in `characters`, from 0; -1 for a character that stays.
        characters: What they become. Shape `(characters,)`.
    """

    counts: CharacterTable
    starts: CharacterTable
    characters: Int32Array

    @classmethod
    def of(cls, function: Callable[[str], str]) -> Expansions:
        """Make the tables.

        Args:
            function: What a text of one character becomes.
        """
        counts = np.ones(_CODE_POINTS, np.int32)
        starts = np.full(_CODE_POINTS, -1, np.int32)
        characters: list[int] = []
        for point in _points():
            made = function(chr(point))
            if made != chr(point):
                counts[point], starts[point] = len(made), len(characters)
                characters += map(ord, made)
        return cls(
            counts=CharacterTable.of(counts),
            starts=CharacterTable.of(starts),
            characters=np.array(characters or [0], np.int32),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalForm:
    """What NFKC needs (UAX #15).

    Attributes:
        unsure: 1 for a character with which a text may not be in NFKC already.
        decomposed: Full decompositions.
        order: Canonical combining classes; 0 for a starter.
        pairs: Pairs of characters that become one, as keys, ascending. Shape `(pairs,)`.
        composed: What they become. Shape `(pairs,)`.
    """

    unsure: CharacterTable
    decomposed: Expansions
    order: CharacterTable
    pairs: Int64Array
    composed: Int32Array


@cache
def normal_form() -> NormalForm:
    """The tables of NFKC, of Python's version of Unicode."""
    order = np.zeros(_CODE_POINTS, np.int32)
    unsure = np.zeros(_CODE_POINTS, np.int32)
    pairs: dict[int, int] = {}
    for point in _points():
        one = chr(point)
        order[point] = unicodedata.combining(one)
        unsure[point] = order[point] != 0 or unicodedata.normalize("NFKC", one) != one
        parts = _canonical_parts(point)
        if len(parts) == 2 and unicodedata.normalize("NFC", one) == one:
            pairs[(parts[0] << PAIR_BITS) | parts[1]] = point
    for key in pairs:
        unsure[key & ((1 << PAIR_BITS) - 1)] = 1
    keys = sorted(pairs)
    return NormalForm(
        unsure=CharacterTable.of(unsure),
        decomposed=Expansions.of(lambda one: unicodedata.normalize("NFKD", one)),
        order=CharacterTable.of(order),
        pairs=np.array(keys, np.int64),
        composed=np.array([pairs[key] for key in keys], np.int32),
    )


def _canonical_parts(point: int) -> list[int]:
    """The one or two characters that a character stands for; none if it stands for itself."""
    if point in _HANGUL:
        jamo = [ord(one) for one in unicodedata.normalize("NFD", chr(point))]
        if len(jamo) == 2:
            return jamo
        # A syllable with an end is one without an end, and the end.
        return [ord(unicodedata.normalize("NFC", "".join(map(chr, jamo[:2])))), jamo[2]]
    told = unicodedata.decomposition(chr(point))
    return [] if not told or told.startswith("<") else [int(part, 16) for part in told.split()]


@cache
def arrow_lower() -> CharacterTable:
    """How far each character's small letter is from it, as Arrow has it."""
    points = [*_points()]
    lowered = pc.utf8_lower(pa.array(map(chr, points), pa.large_string())).to_pylist()
    values = np.zeros(_CODE_POINTS, np.int32)
    values[points] = np.array([ord(one) for one in lowered]) - points
    return CharacterTable.of(values)


def classes(separators: str, alone: Sequence[tuple[int, int]] = ()) -> CharacterTable:
    """Which characters separate tokens, and which are tokens of their own.

    Args:
        separators: Characters that separate.
        alone: Inclusive ranges of the others.
    """
    values = np.full(_CODE_POINTS, WORD, np.int32)
    for low, high in alone:
        values[low : high + 1] = ALONE
    values[[ord(one) for one in separators]] = SEPARATOR
    return CharacterTable.of(values)


def own_classes(version: int) -> CharacterTable:
    """The classes of textbatch's own rules, of a version."""
    if version == OLDEST_RULES:
        return classes(PUNCTUATION + WHITE_SPACE, CJK_RANGES)
    values = newest_classes().astype(np.int32)
    values[[ord(one) for one in PUNCTUATION + WHITE_SPACE]] = SEPARATOR
    return CharacterTable.of(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonLower:
    """What `str.lower` needs.

    Attributes:
        lowered: What each character becomes.
        cased: 1 for letters with two cases, 2 for characters that the rule of the final sigma
            looks past, 0 for others.
    """

    lowered: Expansions
    cased: CharacterTable


@cache
def python_lower() -> PythonLower:
    """The tables of `str.lower`."""
    cased = np.zeros(_CODE_POINTS, np.int32)
    for point in _points():
        one = chr(point)
        # A sigma after a letter is final, unless a letter follows, perhaps behind what is ignored.
        if f"AΣ{one}A".lower()[1] == "σ":
            cased[point] = 1 if f"AΣ{one}".lower()[1] == "σ" else 2
    return PythonLower(lowered=Expansions.of(str.lower), cased=CharacterTable.of(cased))


def _points() -> list[int]:
    return [point for low, high in _RANGES for point in range(low, high)]
