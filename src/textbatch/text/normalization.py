"""How a text becomes tokens: one definition, as Arrow kernels.

The rules are fixed by `RULES_VERSION`, which the bundle stores: Unicode NFKC, lower case one
character at a time (so no final-sigma rule, and "İ" becomes "i"), the punctuation filter of
Keras's Tokenizer and every white-space character become separators, and each character of the
unspaced CJK scripts stands alone.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.batch import Int64Array

RULES_VERSION = 1

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


def _hex_class(characters: str) -> str:
    return "".join(f"\\x{{{ord(character):x}}}" for character in characters)


_SEPARATORS = f"[{_hex_class(PUNCTUATION + WHITE_SPACE)}]+"
_CJK = "([" + "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in CJK_RANGES) + "])"


def split_tokens(texts: pa.Array) -> tuple[pa.Array, Int64Array]:
    """Split texts into tokens.

    Args:
        texts: Valid UTF-8 strings without nulls. Shape `(rows,)`.

    Returns:
        All tokens end to end, shape `(tokens,)`, and the offsets between which each row's
        tokens lie, shape `(rows + 1,)`. A row may have no token.
    """
    # 64-bit offsets: spacing out CJK can triple a chunk that was just below 2 GiB.
    text = texts.cast(pa.large_string())
    text = pc.utf8_normalize(text, form="NFKC")
    text = pc.utf8_lower(text)
    text = pc.replace_substring_regex(text, pattern=_SEPARATORS, replacement=" ")
    text = pc.replace_substring_regex(text, pattern=_CJK, replacement=r" \1 ")
    text = pc.ascii_trim(text, " ")
    # The split kernel finds one empty token in an empty text: make such texts null instead.
    text = pc.if_else(pc.equal(text, ""), None, text)
    lists = pc.ascii_split_whitespace(text)
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return lists.flatten(), offsets
