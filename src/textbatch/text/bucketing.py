"""Mini-batches of rows of similar length, so that little time is spent on padding; slices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from textbatch.text.vocabulary import OOV_ID, PAD_ID
from textbatch.types import Int32Array, Int64Array, TokenBatch

#: Rows of a mini-batch differ by less than this many tokens.
_BUCKET_WIDTH = 8
#: Rows are sorted by their first 6 tokens, for engines that compute equal beginnings once. Three
#: token ids of 21 bits go into one sort key. Larger ids only make the order less good.
_KEY_TOKENS, _TOKENS_PER_KEY, _TOKEN_BITS = 6, 3, 21


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniBatch:
    """Rows for one network call, padded on the right to the longest of them.

    Attributes:
        rows: Positions of the rows in the token batch. Shape `(batch,)`.
        token_ids: `PAD_ID` after the end of each row. Shape `(batch, sequence_length)`.
        lengths: Real tokens per row. Shape `(batch,)`.
    """

    rows: Int64Array
    token_ids: Int32Array
    lengths: Int32Array


def mini_batches(
    tokens: TokenBatch, rows: Int64Array, *, max_padded_tokens: int
) -> Iterator[MiniBatch]:
    """Cut rows into mini-batches, longest rows first.

    Rows of similar length are put together. Among them, rows that begin with the same tokens are
    put together.

    Args:
        tokens: The tokens of the rows.
        rows: Positions of the rows that are wanted. Shape `(wanted,)`.
        max_padded_tokens: Limit on batch × sequence length. A row that is longer than the limit
            goes alone.

    Yields:
        Mini-batches. Together they hold each wanted row once.
    """
    order = rows[_neighbour_order(tokens, rows)]
    start = 0
    while start < len(order):
        # The first row may not be the longest: within a bucket, beginnings decide the order.
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
            # After the end of a row, take the padding that was added at the end of the array.
            source = np.where(column < lengths, starts + column, -1)
            key = (key << _TOKEN_BITS) | token_ids[source]
        keys.append(key)
    # Longest first: the last mini-batches are the cheap ones, so all workers end at about the
    # same time.
    return np.lexsort([*reversed(keys), -(lengths // _BUCKET_WIDTH)])


def pad(tokens: TokenBatch, rows: Int64Array) -> MiniBatch:
    """Gather rows into one right-padded mini-batch, in the given order.

    Args:
        tokens: The tokens of all rows.
        rows: Positions of the rows that are wanted. Shape `(batch,)`.
    """
    lengths = tokens.lengths[rows]
    column = np.arange(lengths.max(initial=1))
    real = column < lengths[:, None]
    source = tokens.offsets[rows][:, None] + column
    token_ids = np.full(real.shape, PAD_ID, np.int32)
    token_ids[real] = tokens.token_ids[source[real]]
    return MiniBatch(rows=rows, token_ids=token_ids, lengths=lengths.astype(np.int32))


def slices(tokens: TokenBatch, most: int) -> Iterator[TokenBatch]:
    """Cut a token batch into parts, in order. One without rows is one part.

    Args:
        tokens: The tokens of all rows.
        most: Rows of a part at most.

    Yields:
        Parts that share the memory of the whole.
    """
    if len(tokens) <= most:
        yield tokens
        return
    unknown_before = np.zeros(len(tokens.token_ids) + 1, np.int64)
    np.cumsum(tokens.token_ids == OOV_ID, out=unknown_before[1:])
    for start in range(0, len(tokens), most):
        offsets = tokens.offsets[start : start + most + 1]
        first, last = offsets[0], offsets[-1]
        here = slice(unknown_before[first], unknown_before[last])
        yield TokenBatch(
            token_ids=tokens.token_ids[first:last],
            offsets=offsets - first,
            truncated=tokens.truncated[start : start + most],
            unknown=None if tokens.unknown is None else tokens.unknown[here],
        )
