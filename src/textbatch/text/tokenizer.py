"""Texts to token ids, a chunk at a time, without a Python loop over rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.text.normalization import split_tokens
from textbatch.text.vocabulary import OOV_ID, Vocabulary
from textbatch.types import BoolArray, TokenBatch

#: Only the beginning of a longer text is used. Otherwise one row of some megabytes would delay
#: the job, although only a few hundred of its tokens are kept.
MAX_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """Turns texts into token ids. The bundle stores its vocabulary and its limit.

    Attributes:
        vocabulary: Known tokens and their ids.
        max_sequence_length: A longer text keeps only this many tokens, its first ones.
    """

    vocabulary: Vocabulary
    max_sequence_length: int

    def encode(self, texts: pa.Array) -> TokenBatch:
        """Encode texts.

        Args:
            texts: Valid UTF-8 strings without nulls. Shape `(rows,)`.

        Returns:
            Token ids, cut to `max_sequence_length`. Rows without a token have length 0.
        """
        texts, cut = _first_characters(texts)
        tokens, offsets = split_tokens(texts)
        lengths = np.diff(offsets)
        kept = np.minimum(lengths, self.max_sequence_length)
        token_ids = self.vocabulary.lookup(tokens)
        truncated = cut | (lengths > kept)
        if (lengths > kept).any():
            position = np.arange(len(token_ids)) - np.repeat(offsets[:-1], lengths)
            inside = position < self.max_sequence_length
            token_ids, tokens = token_ids[inside], tokens.filter(pa.array(inside))
            offsets = np.concatenate([[0], np.cumsum(kept)])
        return TokenBatch(
            token_ids=token_ids,
            offsets=offsets,
            truncated=truncated,
            unknown=tokens.filter(pa.array(token_ids == OOV_ID)),
        )


def _first_characters(texts: pa.Array) -> tuple[pa.Array, BoolArray]:
    """Cut texts at `MAX_CHARACTERS`; return them, and where something was cut off."""
    # Look at bytes first: counting characters costs more, and few texts need it.
    if (pc.max(pc.binary_length(texts)).as_py() or 0) <= MAX_CHARACTERS:
        return texts, np.zeros(len(texts), bool)
    long = pc.greater(pc.utf8_length(texts), MAX_CHARACTERS)
    cut = pc.utf8_slice_codeunits(texts, 0, MAX_CHARACTERS)
    return cut, long.to_numpy(zero_copy_only=False)
