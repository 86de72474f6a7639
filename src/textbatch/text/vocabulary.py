"""The tokens a model knows, and their ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.errors import BundleError
from textbatch.types import Int32Array

PAD_ID = 0
OOV_ID = 1

#: Words that texts are compared with at a time.
_WORDS_AT_ONCE = 1 << 17

#: No text can hold these tokens: the tokenizer removes brackets.
RESERVED = ("[PAD]", "[OOV]")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """An ordered set of tokens; a token's position is its id.

    Attributes:
        tokens: All tokens, the two reserved ones first. Shape `(vocabulary_size,)`.
    """

    tokens: Sequence[str]

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
    def from_lines(cls, data: bytes, *, escaped: bool = False) -> Vocabulary:
        """Read the bundle's `vocabulary.txt`: one token on each line; the line number is its id.

        Args:
            data: The content of the file.
            escaped: Whether line breaks and back-slashes in tokens are escaped.

        Raises:
            BundleError: It is not UTF-8. Or reserved tokens are missing, or a token is empty or
                repeated.
        """
        try:
            tokens = _lines(data)
        except pa.ArrowInvalid as error:
            raise BundleError("vocabulary.txt is not UTF-8", _RETRAIN) from error
        if tuple(tokens[: len(RESERVED)].to_pylist()) != RESERVED:
            raise BundleError("vocabulary.txt does not start with [PAD] and [OOV]", _RETRAIN)
        if escaped and b"\\" in data:
            plain = (_ESCAPED.sub(lambda found: _PLAIN[found[0]], one.as_py()) for one in tokens)
            tokens = pa.array(plain, pa.large_string())
        found = cls(tokens=ArrowTokens(tokens))
        repeated = (found.lookup(tokens) != np.arange(len(tokens))).any()
        if repeated or pc.min(pc.binary_length(tokens)).as_py() == 0:
            raise BundleError("vocabulary.txt holds an empty or repeated token", _RETRAIN)
        return found

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
        found = np.full(len(tokens), OOV_ID, np.int32)
        # A hash table of all words of a large vocabulary takes a quarter of a kilobyte for each.
        for start in reversed(range(0, len(self), _WORDS_AT_ONCE)):
            ids = pc.index_in(tokens, value_set=self.array.slice(start, _WORDS_AT_ONCE))
            here = np.asarray(pc.fill_null(ids, -1).to_numpy(zero_copy_only=False), np.int32)
            np.copyto(found, here + np.int32(start), where=here >= 0)
            if start:
                # Arrow keeps what it frees, and would have several tables in memory.
                pa.default_memory_pool().release_unused()
        return found

    def words(self) -> Sequence[str]:
        """The tokens that texts can hold: all except the reserved ones."""
        return self.tokens[len(RESERVED) :]

    @cached_property
    def array(self) -> pa.Array:
        """All tokens as large strings. Shape `(vocabulary_size,)`."""
        if isinstance(self.tokens, ArrowTokens):
            return self.tokens.array
        return pa.array(self.tokens, pa.large_string())


@dataclass(frozen=True, slots=True, eq=False)
class ArrowTokens(Sequence[str]):
    """Tokens as Arrow has them: a tenth of the memory of Python's strings.

    Attributes:
        array: Strings without nulls. Shape `(tokens,)`.
    """

    array: pa.Array

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, place: int | np.integer) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...

    def __getitem__(self, place: int | np.integer | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            return tuple(self.array[place].to_pylist())
        found: str = self.array[int(place)].as_py()
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.array.to_pylist())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ArrowTokens):
            return bool(self.array.equals(other.array))
        return isinstance(other, tuple) and tuple(self) == other

    def __hash__(self) -> int:
        return hash(tuple(self))


def _lines(data: bytes) -> pa.Array:
    """Split text into lines, without a Python object for each. Shape `(lines,)`.

    Raises:
        ArrowInvalid: It is not UTF-8.
    """
    whole = data.removesuffix(b"\n")
    buffers = [None, pa.py_buffer(np.array([0, len(whole)], np.int64)), pa.py_buffer(whole)]
    text = pa.Array.from_buffers(pa.large_binary(), 1, buffers).cast(pa.large_string())
    return pc.split_pattern(text, "\n").values


_PLAIN = {r"\\": "\\", r"\n": "\n"}
_ESCAPED = re.compile(r"\\[\\n]")
_RETRAIN = "restore the model from its source or train it again"
