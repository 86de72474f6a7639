"""Mini-batches of rows of similar length, so that little is spent on padding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from textbatch.text.vocabulary import PAD_ID
from textbatch.types import Int32Array, Int64Array, TokenBatch

#: Rows of a mini-batch differ by less than this many tokens.
_BUCKET_WIDTH = 8
#: How many of their first tokens bring rows together, for engines that share beginnings, and how
#: many of these go into one number to sort by: ids beyond 21 bits would only sort less well.
_KEY_TOKENS, _TOKENS_PER_KEY, _TOKEN_BITS = 6, 3, 21


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniBatch:
    """Rows for one network call, padded on the right to the longest of them.

    Attributes:
        rows: Positions in the token batch that the mini-batch was cut from. Shape `(batch,)`.
        token_ids: `PAD_ID` after each row's end. Shape `(batch, sequence_length)`.
        lengths: Real tokens per row. Shape `(batch,)`.
    """

    rows: Int64Array
    token_ids: Int32Array
    lengths: Int32Array


def mini_batches(
    tokens: TokenBatch, rows: Int64Array, *, max_padded_tokens: int
) -> Iterator[MiniBatch]:
    """Cut rows into mini-batches, longest rows first.

    Rows of like length stand together, and among them those that begin with the same tokens.

    Args:
        tokens: The rows' tokens.
        rows: Positions of the rows wanted. Shape `(wanted,)`.
        max_padded_tokens: Bound on batch × sequence length; a longer row goes alone.

    Yields:
        Mini-batches that together hold each wanted row once.
    """
    order = rows[_neighbour_order(tokens, rows)]
    start = 0
    while start < len(order):
        # Not always the first row is the longest: within a bucket, beginnings decide the order.
        shortest = max(1, int(tokens.lengths[order[start]]) // _BUCKET_WIDTH * _BUCKET_WIDTH)
        window = order[start : start + max(1, max_padded_tokens // shortest)]
        longest = max(1, int(tokens.lengths[window].max()))
        stop = start + max(1, max_padded_tokens // longest)
        yield pad(tokens, order[start:stop])
        start = stop


def _neighbour_order(tokens: TokenBatch, rows: Int64Array) -> Int64Array:
    lengths = tokens.lengths[rows]
    starts = tokens.offsets[rows]
    token_ids = np.append(tokens.token_ids, np.int32(PAD_ID))
    keys = []
    for first in range(0, _KEY_TOKENS, _TOKENS_PER_KEY):
        key = np.zeros(len(rows), np.int64)
        for column in range(first, first + _TOKENS_PER_KEY):
            # Past a row's end stands the padding that closes the array.
            source = np.where(column < lengths, starts + column, -1)
            key = (key << _TOKEN_BITS) | token_ids[source]
        keys.append(key)
    # Longest first: the last mini-batches are the cheap ones, so workers end together.
    return np.lexsort([*reversed(keys), -(lengths // _BUCKET_WIDTH)])


def pad(tokens: TokenBatch, rows: Int64Array) -> MiniBatch:
    """Gather rows into one right-padded mini-batch, in the order given."""
    lengths = tokens.lengths[rows]
    column = np.arange(lengths.max(initial=1))
    real = column < lengths[:, None]
    source = tokens.offsets[rows][:, None] + column
    token_ids = np.full(real.shape, PAD_ID, np.int32)
    token_ids[real] = tokens.token_ids[source[real]]
    return MiniBatch(rows=rows, token_ids=token_ids, lengths=lengths.astype(np.int32))
