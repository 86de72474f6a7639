"""The tokens a model knows, and their ids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.errors import BundleError
from textbatch.types import Int32Array

PAD_ID = 0
OOV_ID = 1

#: No text can hold these tokens: the tokenizer removes brackets.
RESERVED = ("[PAD]", "[OOV]")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """An ordered set of tokens; a token's position is its id.

    Attributes:
        tokens: All tokens, the two reserved ones first. Shape `(vocabulary_size,)`.
    """

    tokens: tuple[str, ...]

    @classmethod
    def build(cls, tokens: pa.Array, *, min_count: int, max_size: int) -> Vocabulary:
        """Keep the most frequent tokens; equally frequent ones in alphabetical order.

        Args:
            tokens: All tokens of the training texts. Shape `(tokens,)`.
            min_count: Rarer tokens are left out. They become OOV, so training sees OOV tokens.
            max_size: Limit on the size of the vocabulary, with the reserved tokens.
        """
        counted = pc.value_counts(tokens)
        table = pa.table({"token": counted.field("values"), "count": counted.field("counts")})
        table = table.filter(pc.field("count") >= min_count)
        table = table.sort_by([("count", "descending"), ("token", "ascending")])
        kept = table["token"].slice(0, max(0, max_size - len(RESERVED))).to_pylist()
        return cls(tokens=(*RESERVED, *kept))

    @classmethod
    def from_lines(cls, text: str, *, escaped: bool = False) -> Vocabulary:
        """Read the bundle's `vocabulary.txt`: one token on each line; the line number is its id.

        Args:
            text: The content of the file.
            escaped: Whether line breaks and back-slashes in tokens are escaped.

        Raises:
            BundleError: Reserved tokens are missing, or a token is empty or repeated.
        """
        tokens = tuple(text.removesuffix("\n").split("\n"))
        if tokens[: len(RESERVED)] != RESERVED:
            raise BundleError("vocabulary.txt does not start with [PAD] and [OOV]", _RETRAIN)
        if escaped:
            tokens = tuple(_ESCAPED.sub(lambda found: _PLAIN[found[0]], one) for one in tokens)
        if len(set(tokens)) != len(tokens) or "" in tokens:
            raise BundleError("vocabulary.txt holds an empty or repeated token", _RETRAIN)
        return cls(tokens=tokens)

    def to_lines(self, *, escaped: bool = False) -> str:
        """The content of `vocabulary.txt`; `escaped` as in `from_lines`."""
        tokens = self.tokens
        if escaped:
            tokens = tuple(one.replace("\\", r"\\").replace("\n", r"\n") for one in tokens)
        return "\n".join(tokens) + "\n"

    def __len__(self) -> int:
        return len(self.tokens)

    def lookup(self, tokens: pa.Array) -> Int32Array:
        """Look up the ids of tokens.

        Args:
            tokens: Strings without nulls. Shape `(tokens,)`.

        Returns:
            Ids; `OOV_ID` for unknown tokens. Shape `(tokens,)`.
        """
        ids = pc.index_in(tokens, value_set=self._array)
        return np.asarray(pc.fill_null(ids, OOV_ID).to_numpy(zero_copy_only=False), np.int32)

    def words(self) -> Sequence[str]:
        """The tokens that texts can hold: all except the reserved ones."""
        return self.tokens[len(RESERVED) :]

    @cached_property
    def _array(self) -> pa.Array:
        return pa.array(self.tokens, pa.large_string())


_PLAIN = {r"\\": "\\", r"\n": "\n"}
_ESCAPED = re.compile(r"\\[\\n]")
_RETRAIN = "restore the model from its source or train it again"
