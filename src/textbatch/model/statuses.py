"""What becomes of a text before any model sees it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textbatch.text.normalization import WHITE_SPACE
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import OOV_ID
from textbatch.types import Int64Array, Status, TokenBatch


def known_tokens(tokens: TokenBatch) -> Int64Array:
    """Count the known tokens of each text. Shape `(texts,)`."""
    known_before: Int64Array = np.zeros(len(tokens.token_ids) + 1, np.int64)
    np.cumsum(tokens.token_ids != OOV_ID, out=known_before[1:])
    return known_before[tokens.offsets[1:]] - known_before[tokens.offsets[:-1]]


def status_of(
    texts: pa.Array, tokens: TokenBatch, known: Int64Array, tokenizer: Tokenizer
) -> NDArray[np.int8]:
    """Status codes of texts, before their confidence is known.

    Args:
        texts: Strings without nulls. Shape `(texts,)`.
        tokens: Their tokens.
        known: How many of these are known. Shape `(texts,)`.
        tokenizer: What made them, which says what becomes of long texts.

    Returns:
        Codes of `Status`. Shape `(texts,)`.
    """
    longer = tokens.lengths > tokenizer.max_sequence_length
    status = np.where(longer, Status.WINDOWED, Status.OK)
    status = np.where(tokens.truncated, Status.TRUNCATED, status).astype(np.int8)
    status[known == 0] = Status.NO_KNOWN_TOKENS
    without_tokens = np.flatnonzero(tokens.lengths == 0)
    if len(without_tokens):
        trimmed = pc.utf8_trim(texts.take(pa.array(without_tokens)), characters=WHITE_SPACE)
        blank = pc.equal(trimmed, "").to_numpy(zero_copy_only=False)
        status[without_tokens[blank]] = Status.EMPTY_TEXT
    return status
