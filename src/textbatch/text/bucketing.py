"""Mini-batches of rows of similar length, so that little is spent on padding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from textbatch.batch import Int32Array, Int64Array, TokenBatch
from textbatch.text.vocabulary import PAD_ID


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

    Args:
        tokens: The rows' tokens.
        rows: Positions of the rows wanted. Shape `(wanted,)`.
        max_padded_tokens: Bound on batch × sequence length; a longer row goes alone.

    Yields:
        Mini-batches that together hold each wanted row once.
    """
    # Longest first: the last mini-batches are the cheap ones, so workers end together.
    order = rows[np.argsort(-tokens.lengths[rows], kind="stable")]
    start = 0
    while start < len(order):
        longest = max(1, int(tokens.lengths[order[start]]))
        stop = start + max(1, max_padded_tokens // longest)
        yield pad(tokens, order[start:stop])
        start = stop


def pad(tokens: TokenBatch, rows: Int64Array) -> MiniBatch:
    """Gather rows into one right-padded mini-batch, in the order given."""
    lengths = tokens.lengths[rows]
    column = np.arange(lengths.max(initial=1))
    real = column < lengths[:, None]
    source = tokens.offsets[rows][:, None] + column
    token_ids = np.full(real.shape, PAD_ID, np.int32)
    token_ids[real] = tokens.token_ids[source[real]]
    return MiniBatch(rows=rows, token_ids=token_ids, lengths=lengths.astype(np.int32))
