"""Texts to token ids, a chunk at a time, without a Python loop over rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.text.keras_text import kept_tokens
from textbatch.text.normalization import RULES_VERSION, split_tokens
from textbatch.text.vectorized_text import TextRules
from textbatch.text.vocabulary import OOV_ID, PAD_ID, Vocabulary
from textbatch.types import BoolArray, Int64Array, TokenBatch

#: Only so much of a longer text is used, from the side that the network sees. Otherwise one row of
#: some megabytes would delay the job, although only a few hundred of its tokens are kept.
MAX_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitTexts:
    """The tokens of texts, row after row, whole.

    Attributes:
        tokens: All tokens. Shape `(tokens,)`.
        offsets: Row `i` has the tokens from `offsets[i]` to `offsets[i + 1]`. Shape `(rows + 1,)`.
        cut: True where only a part of the text was split. Shape `(rows,)`.
    """

    tokens: pa.Array
    offsets: Int64Array
    cut: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """Turns texts into token ids. The bundle stores its vocabulary and its limit.

    Attributes:
        vocabulary: Known tokens and their ids.
        max_sequence_length: A longer text keeps only this many tokens, its first ones.
        rules: How a model that was made with Keras splits texts; None for textbatch's own rules.
        version: Version of textbatch's own rules.
    """

    vocabulary: Vocabulary
    max_sequence_length: int
    rules: TextRules | None = None
    version: int = RULES_VERSION

    @property
    def splitting(self) -> TextRules | int:
        """What decides how `split` splits. Tokenizers in which it is equal can share its result."""
        return self.rules.splitting if self.rules else self.version

    def encode(self, texts: pa.Array) -> TokenBatch:
        """Encode texts.

        Args:
            texts: Valid UTF-8 strings without nulls. Shape `(rows,)`.

        Returns:
            Token ids, cut to `max_sequence_length`. Rows without a token have length 0.
        """
        return self.encode_split(self.split(texts))

    def split(self, texts: pa.Array) -> SplitTexts:
        """Split texts into tokens, which no vocabulary has seen yet.

        Args:
            texts: Valid UTF-8 strings without nulls. Shape `(rows,)`.
        """
        texts, cut = _part_of_long(texts, keep_last=self._keeps_last)
        tokens, offsets = (
            self.rules.split_tokens(texts) if self.rules else split_tokens(texts, self.version)
        )
        return SplitTexts(tokens=tokens, offsets=offsets, cut=cut)

    def encode_split(self, texts: SplitTexts) -> TokenBatch:
        """Look up the tokens of texts that are split by now; see `encode`.

        Args:
            texts: Texts that this tokenizer has split, or one with the same `splitting`.
        """
        tokens, offsets = texts.tokens, texts.offsets
        token_ids = self.vocabulary.lookup(tokens)
        unknown = None
        if self.rules:
            # Rules of others may leave a text's "[PAD]" whole.
            token_ids = np.where(token_ids == PAD_ID, np.int32(OOV_ID), token_ids)
            if not self.rules.keep_unknown:
                known = token_ids != OOV_ID
                unknown = tokens.filter(pa.array(~known))
                offsets, token_ids = kept_tokens(offsets, known), token_ids[known]
                tokens = tokens.filter(pa.array(known))
        lengths = np.diff(offsets)
        kept = np.minimum(lengths, self.max_sequence_length)
        truncated = texts.cut | (lengths > kept)
        if (lengths > kept).any():
            position = np.arange(len(token_ids)) - np.repeat(offsets[:-1], lengths)
            inside = (
                position >= np.repeat(lengths - kept, lengths)
                if self._keeps_last
                else position < self.max_sequence_length
            )
            token_ids, tokens = token_ids[inside], tokens.filter(pa.array(inside))
            offsets = np.concatenate([[0], np.cumsum(kept)])
        return TokenBatch(
            token_ids=token_ids,
            offsets=offsets,
            truncated=truncated,
            unknown=tokens.filter(pa.array(token_ids == OOV_ID)) if unknown is None else unknown,
        )

    @property
    def _keeps_last(self) -> bool:
        return self.rules is not None and self.rules.truncating == "pre"


def _part_of_long(texts: pa.Array, *, keep_last: bool) -> tuple[pa.Array, BoolArray]:
    """Cut texts to `MAX_CHARACTERS`; return them, and where something was cut off."""
    # Look at bytes first: counting characters costs more, and few texts need it.
    if (pc.max(pc.binary_length(texts)).as_py() or 0) <= MAX_CHARACTERS:
        return texts, np.zeros(len(texts), bool)
    long = pc.greater(pc.utf8_length(texts), MAX_CHARACTERS)
    # Counted from the end, a slice up to the last character needs a bound beyond it.
    start, stop = (-MAX_CHARACTERS, 2**31 - 1) if keep_last else (0, MAX_CHARACTERS)
    cut = pc.utf8_slice_codeunits(texts, start, stop)
    return cut, long.to_numpy(zero_copy_only=False)
