"""Texts to token ids, a chunk at a time, without a Python loop over rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from textbatch.batch import TokenBatch
from textbatch.text.normalization import split_tokens
from textbatch.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """Turns texts into token ids; saved in the bundle as its vocabulary and its limit.

    Attributes:
        vocabulary: Known tokens and their ids.
        max_sequence_length: Longer texts keep their first `max_sequence_length` tokens.
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
        tokens, offsets = split_tokens(texts)
        lengths = np.diff(offsets)
        kept = np.minimum(lengths, self.max_sequence_length)
        token_ids = self.vocabulary.lookup(tokens)
        truncated = lengths > kept
        if truncated.any():
            position = np.arange(len(token_ids)) - np.repeat(offsets[:-1], lengths)
            token_ids = token_ids[position < self.max_sequence_length]
            offsets = np.concatenate([[0], np.cumsum(kept)])
        return TokenBatch(token_ids=token_ids, offsets=offsets, truncated=truncated)
