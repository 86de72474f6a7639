"""How a Keras `TextVectorization` layer splits a text, as Arrow kernels.

TensorFlow's `strings.lower`, `strings.regex_replace` and `strings.split` look at bytes: only
characters of ASCII are lowered, removed, or white space. The rules are data: a bundle holds them.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from textbatch.errors import BundleError
from textbatch.text.choices import Side
from textbatch.text.keras_text import KerasText, characters_of, tokens_between
from textbatch.text.normalization import ascii_lower, fold_bytes
from textbatch.types import Int64Array

#: What `lower_and_strip_punctuation` and `strip_punctuation` remove; the apostrophe too.
PUNCTUATION = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
#: What `tf.strings.split` takes for white space.
WHITE_SPACE = " \t\n\x0b\x0c\r"
_REMEDY = "take another copy of the model, or import it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorizedText:
    """The rules of a `TextVectorization` layer. Unknown tokens count; the first tokens stay.

    Attributes:
        lower: Whether capitals of ASCII become small letters.
        removed: Characters of ASCII that are taken out: what stands around them is one token.
        separators: Characters of ASCII between tokens; empty where each character is a token.

    Raises:
        BundleError: There are other characters in them, or one twice.
    """

    lower: bool
    removed: str
    separators: str

    def __post_init__(self) -> None:
        for name in ("removed", "separators"):
            value = getattr(self, name)
            if not value.isascii() or len(set(value)) < len(value):
                raise BundleError(f"`{name}` of the text rules is no set of characters", _REMEDY)

    @property
    def keep_unknown(self) -> bool:
        """Unknown tokens count."""
        return True

    @property
    def truncating(self) -> Side:
        """The first tokens stay."""
        return "post"

    @property
    def splitting(self) -> VectorizedText:
        """What decides how texts are split."""
        return self

    @property
    def between(self) -> str:
        """What joins tokens to a text that has these tokens."""
        return self.separators[:1]

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
            text = ascii_lower(text)
        if self.removed:
            pattern = "".join(f"\\x{ord(one):02x}" for one in self.removed)
            text = pc.replace_substring_regex(text, pattern=f"[{pattern}]", replacement="")
        if not self.separators:
            return characters_of(text)
        first = self.separators[0]
        same = first * len(self.separators)
        table = bytes.maketrans(self.separators.encode(), same.encode())
        return tokens_between(fold_bytes(text, table), first)


#: The rules of texts that a model brings with it.
TextRules = KerasText | VectorizedText
