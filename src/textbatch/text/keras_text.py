"""How a Keras `Tokenizer` splits a text, as Arrow kernels.

A model that was made with Keras must read texts as Keras did. The rules are data: a bundle holds
them. They are those of `keras.preprocessing.text.text_to_word_sequence` and
`Tokenizer.texts_to_sequences` (Keras 2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.errors import BundleError
from textbatch.text.choices import Side
from textbatch.text.normalization import ascii_lower, fold_bytes
from textbatch.types import BoolArray, Int64Array

#: The most characters of both, so that a hostile bundle cannot make texts much longer.
_MAX_FILTERS, _MAX_SPLIT = 10_000, 32
_REMEDY = "give the tokenizer that the model was trained with, or another copy of the model"


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasText:
    """The rules of a Keras `Tokenizer` and of `pad_sequences`.

    Attributes:
        filters: Characters that separate tokens, beside `split`.
        lower: Whether capitals become small letters, as `str.lower` does it.
        split: Separates tokens. With `char_level` it has no effect.
        char_level: Whether each character is a token. Then `filters` has no effect.
        keep_unknown: Whether unknown tokens count, as `oov_token`. Otherwise they vanish.
        truncating: Where tokens beyond the limit are cut off. Keras's default is `pre`, which keeps
            the last tokens.

    Raises:
        BundleError: `filters` or `split` is too long, or nothing would split texts.
    """

    filters: str
    lower: bool
    split: str
    char_level: bool
    keep_unknown: bool
    truncating: Side

    def __post_init__(self) -> None:
        for name, most in (("filters", _MAX_FILTERS), ("split", _MAX_SPLIT)):
            if len(getattr(self, name)) > most:
                raise BundleError(
                    f"`{name}` of the tokenizer has more than {most:,} characters", _REMEDY
                )
        if not (self.char_level or self.split):
            raise BundleError("`split` of the tokenizer is an empty text", _REMEDY)

    @property
    def splitting(self) -> KerasText:
        """What decides how texts are split, whatever becomes of unknown tokens."""
        return replace(self, keep_unknown=True)

    @property
    def between(self) -> str:
        """What joins tokens to a text that has these tokens."""
        return "" if self.char_level else self.split

    def split_tokens(self, texts: pa.Array) -> tuple[pa.Array, Int64Array]:
        """Split texts into tokens; as `normalization.split_tokens`, by these rules.

        Args:
            texts: Valid UTF-8 strings without nulls. Shape `(rows,)`.

        Returns:
            All tokens, row after row, shape `(tokens,)`. And the offsets of the rows, shape
            `(rows + 1,)`.
        """
        text = texts.cast(pa.large_string())
        if self.lower:
            text = _lower(text)
        if self.char_level:
            return characters_of(text)
        return tokens_between(self._separated(text), self.split)

    def _separated(self, text: pa.Array) -> pa.Array:
        """Make the separator of each character in `filters`."""
        if not self.filters:
            return text
        if self.filters.isascii() and self.split.isascii() and len(self.split) == 1:
            split = self.split * len(self.filters)
            return fold_bytes(text, bytes.maketrans(self.filters.encode(), split.encode()))
        pattern = "".join(f"\\x{{{ord(one):x}}}" for one in self.filters)
        replacement = self.split.replace("\\", "\\\\")
        return pc.replace_substring_regex(text, pattern=f"[{pattern}]", replacement=replacement)


def _lower(text: pa.Array) -> pa.Array:
    """`str.lower`. Arrow has no special cases such as the final sigma."""
    ascii_only = pc.string_is_ascii(text)
    lowered = ascii_lower(text)
    if pc.all(ascii_only).as_py() is not False:
        return lowered
    others = pc.invert(ascii_only)
    theirs = [one.lower() for one in text.filter(others).to_pylist()]
    return pc.replace_with_mask(lowered, others, pa.array(theirs, text.type))


def tokens_between(text: pa.Array, separator: str) -> tuple[pa.Array, Int64Array]:
    """Split texts at a separator.

    Args:
        text: Large strings without nulls. Shape `(rows,)`.
        separator: What stands between tokens, once or more.

    Returns:
        All tokens, and the offsets of the rows, as `split_tokens`.
    """
    lists = pc.split_pattern(text, pattern=separator)
    tokens = lists.flatten()
    # Two separators side by side have an empty text between them. It is no token.
    filled = pc.not_equal(tokens, "")
    before = np.zeros(len(tokens) + 1, np.int64)
    np.cumsum(filled.to_numpy(zero_copy_only=False), out=before[1:])
    ends = np.zeros(len(text) + 1, np.int64)
    np.cumsum(pc.list_value_length(lists).to_numpy(zero_copy_only=False), out=ends[1:])
    return tokens.filter(filled), before[ends]


def characters_of(text: pa.Array) -> tuple[pa.Array, Int64Array]:
    """Split texts into their characters.

    Args:
        text: Large strings without nulls. Shape `(rows,)`.

    Returns:
        All characters, and the offsets of the rows, as `split_tokens`.
    """
    lengths = pc.utf8_length(text).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    joined = "".join(text.to_pylist())
    points = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    distinct, places = np.unique(points, return_inverse=True)
    characters = pa.array([chr(point) for point in distinct], pa.large_string())
    return characters.take(pa.array(places.ravel())), offsets


def kept_tokens(offsets: Int64Array, keep: BoolArray) -> Int64Array:
    """The offsets of rows that some tokens are taken from.

    Args:
        offsets: Offsets of the rows. Shape `(rows + 1,)`.
        keep: The tokens that stay. Shape `(tokens,)`.

    Returns:
        Shape `(rows + 1,)`.
    """
    before = np.zeros(len(keep) + 1, np.int64)
    np.cumsum(keep, out=before[1:])
    return before[offsets]
