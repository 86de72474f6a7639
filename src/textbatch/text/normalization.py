"""How a text becomes tokens: one definition, as Arrow kernels.

The bundle stores the version of its rules. These are the rules of version 2:

1. Unicode NFKC.
2. Lower case, one character at a time (so no final-sigma rule, and "İ" becomes "i").
3. Characters of which nothing is to be seen vanish: soft hyphens, joiners, marks of direction.
   Other forms of the apostrophe become one.
4. The punctuation of Keras's Tokenizer, its relatives in Unicode (quotation marks, dashes, signs of
   currencies and of mathematics) and all white space separate tokens. So does a zero-width space.
5. Each emoji or other symbol, and each character of a CJK script, is a token of its own. So is each
   letter of Thai, Lao, Khmer, Myanmar and other scripts that are written without spaces, with its
   vowels and marks.

Version 1 has no rule 3, separates at the punctuation of Keras's Tokenizer and at white space only,
and has no tokens of their own but the characters of CJK scripts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from string import ascii_lowercase, ascii_uppercase

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.text.characters import fold_code_points
from textbatch.types import Int64Array

#: The version for new models, and the oldest that is known.
RULES_VERSION, OLDEST_RULES = 2, 1

#: `keras.preprocessing.text.Tokenizer(filters=...)`: the apostrophe stays inside words.
PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'

#: Every character for which `str.isspace()` is true.
WHITE_SPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

#: Inclusive ranges of scripts written without spaces: CJK punctuation, Hiragana, Katakana,
#: Bopomofo, and the Han blocks. Hangul is written with spaces and stays whole.
CJK_RANGES = (
    (0x2E80, 0x312F),
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)

#: Inclusive ranges of characters. A text of these characters alone is in NFKC already (the quick
#: check of UAX #15: each is normal by itself, and never joins with the character before it).
#: This check is much cheaper than normalizing. The ranges are letters with accents, Greek,
#: Cyrillic, quotes and dashes, symbols, kana, Han, Hangul, and emoji with their joiners.
SURELY_NFKC = (
    *((0x00, 0x7F), (0xC0, 0x131), (0x134, 0x13E), (0x141, 0x148), (0x14A, 0x17E)),
    *((0x391, 0x3A1), (0x3A3, 0x3CE), (0x400, 0x482), (0x48A, 0x52F)),
    *((0x200D, 0x200D), (0x2012, 0x2016), (0x2018, 0x2022), (0x2190, 0x21FF), (0x2600, 0x27BF)),
    *((0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3)),
    *((0xFE0F, 0xFE0F), (0x1F300, 0x1FAFF)),
)


def _range_class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in ranges)


def _hex_class(characters: str) -> str:
    return "".join(f"\\x{{{ord(character):x}}}" for character in characters)


_WIDE = "".join(character for character in WHITE_SPACE if not character.isascii())
_NARROW = PUNCTUATION + "".join(set(WHITE_SPACE) - set(_WIDE))
#: What each byte of UTF-8 becomes: capitals become small letters, separators become spaces. Bytes
#: of characters beyond ASCII stay as they are: all of them are 0x80 or above.
_BYTES = bytes.maketrans(
    (ascii_uppercase + _NARROW).encode(), (ascii_lowercase + " " * len(_NARROW)).encode()
)
_LOWER = bytes.maketrans(ascii_uppercase.encode(), ascii_lowercase.encode())
_WIDE_SPACES = f"[{_hex_class(_WIDE)}]"
_CJK = f"([{_range_class(CJK_RANGES)}])"
_NOT_SURELY_NFKC = f"[^{_range_class(SURELY_NFKC)}]"


def split_tokens(texts: pa.Array, version: int = RULES_VERSION) -> tuple[pa.Array, Int64Array]:
    """Split texts into tokens.

    Args:
        texts: Valid UTF-8 strings without nulls. Shape `(rows,)`.
        version: Of the rules.

    Returns:
        All tokens, row after row, shape `(tokens,)`. And the offsets of the rows, shape
        `(rows + 1,)`: the tokens of row `i` are `tokens[offsets[i]:offsets[i + 1]]`. A row may
        have no token.
    """
    # 64-bit offsets: spaces around CJK characters can triple a chunk that was just below 2 GiB.
    text = texts.cast(pa.large_string())
    text = fold_bytes(_fold_characters(text, version), _BYTES)
    text = pc.ascii_trim(text, " ")
    # The split kernel finds one empty token in an empty text, so empty texts are made null.
    text = pc.if_else(pc.equal(text, ""), None, text)
    lists = pc.ascii_split_whitespace(text)
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return lists.flatten(), offsets


def normalize(texts: Sequence[str | None]) -> list[str]:
    """Split texts as `score` does, and join their tokens with spaces.

    Args:
        texts: Shape `(rows,)`. None has no token.

    Returns:
        One string for each text. Shape `(rows,)`.
    """
    column = pc.fill_null(pa.array(texts, pa.large_string()), "")
    tokens, offsets = split_tokens(column)
    rows = pa.LargeListArray.from_arrays(pa.array(offsets), tokens)
    joined: list[str] = pc.binary_join(rows, pa.scalar(" ", pa.large_string())).to_pylist()
    return joined


def _fold_characters(text: pa.Array, version: int) -> pa.Array:
    """Apply the rules for characters beyond ASCII. Most rows have none and stay as they are."""
    ascii_only = pc.string_is_ascii(text)
    if pc.all(ascii_only).as_py() is not False:
        return text
    others = pc.invert(ascii_only)
    # The most frequent character that NFKC changes.
    wide = pc.replace_substring(text.filter(others), pattern="…", replacement="...")
    unsure = pc.match_substring_regex(wide, pattern=_NOT_SURELY_NFKC)
    normal = _nfkc(wide.filter(unsure))
    wide = pc.utf8_lower(pc.replace_with_mask(wide, unsure, normal))
    if version == OLDEST_RULES:
        wide = pc.replace_substring_regex(wide, pattern=_WIDE_SPACES, replacement=" ")
        wide = pc.replace_substring_regex(wide, pattern=_CJK, replacement=r" \1 ")
    else:
        wide = fold_code_points(wide)
    return pc.replace_with_mask(text, others, wide)


def _nfkc(text: pa.Array) -> pa.Array:
    if _composes():
        return pc.utf8_normalize(text, form="NFKC")
    return pa.array([unicodedata.normalize("NFKC", one) for one in text.to_pylist()], text.type)


@cache
def _composes() -> bool:
    """Whether Arrow's NFKC puts letters and their accents together: before 26 it does not."""
    (accented,) = pc.utf8_normalize(pa.array(["U\u0300"]), form="NFKC").to_pylist()
    return bool(accented == "\u00d9")


def ascii_lower(text: pa.Array) -> pa.Array:
    """Make small letters of the capitals of ASCII.

    Arrow's kernel of this name loses bytes where the first text does not begin at byte 0, as in a
    slice that was cast.

    Args:
        text: Large strings without nulls. Shape `(rows,)`.

    Returns:
        Shape `(rows,)`.
    """
    return fold_bytes(text, _LOWER)


def fold_bytes(text: pa.Array, table: bytes) -> pa.Array:
    """Replace characters of ASCII with others, by a table of bytes: faster than a pattern.

    Args:
        text: Large strings without nulls. Shape `(rows,)`.
        table: The new byte for each byte, as `bytes.maketrans` makes it. Shape `(256,)`.

    Returns:
        Shape `(rows,)`.
    """
    _, ends, data = text.buffers()
    if data is None:
        return text
    offsets = np.frombuffer(ends, np.int64)[text.offset : text.offset + len(text) + 1]
    folded = bytes(memoryview(data)[offsets[0] : offsets[-1]]).translate(table)
    buffers = [None, pa.py_buffer(offsets - offsets[0]), pa.py_buffer(folded)]
    return pa.Array.from_buffers(text.type, len(text), buffers)
