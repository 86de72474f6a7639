"""Texts with more tokens than the network reads: which part stays, or windows over all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.text.choices import Part
from textbatch.text.vocabulary import OOV_ID
from textbatch.types import BoolArray, Float32Array, Int64Array, TokenBatch

#: Only so much of a longer text is used. Otherwise one row of some megabytes would delay the job,
#: although only a few hundred of its tokens are kept.
MAX_CHARACTERS = 100_000


def part_of_long(texts: pa.Array, part: Part) -> tuple[pa.Array, BoolArray]:
    """Cut texts to `MAX_CHARACTERS`, before they are split.

    Args:
        texts: Valid UTF-8 strings without nulls. Shape `(rows,)`.
        part: Which part stays; of `window` the first one, too.

    Returns:
        The texts, and where something was cut off. Shapes `(rows,)`.
    """
    # Look at bytes first: counting characters costs more, and few texts need it.
    if (pc.max(pc.binary_length(texts)).as_py() or 0) <= MAX_CHARACTERS:
        return texts, np.zeros(len(texts), bool)
    long = pc.greater(pc.utf8_length(texts), MAX_CHARACTERS)
    # Counted from the end, a slice up to the last character needs a bound beyond it.
    half, end = MAX_CHARACTERS // 2, 2**31 - 1
    if part == "head-tail":
        first = pc.utf8_slice_codeunits(texts, 0, half)
        last = pc.utf8_slice_codeunits(texts, -half, end)
        space = pa.scalar(" ", texts.type)
        cut = pc.if_else(long, pc.binary_join_element_wise(first, last, space), texts)
    elif part == "tail":
        cut = pc.utf8_slice_codeunits(texts, -MAX_CHARACTERS, end)
    else:
        cut = pc.utf8_slice_codeunits(texts, 0, MAX_CHARACTERS)
    return cut, long.to_numpy(zero_copy_only=False)


def kept_of_long(offsets: Int64Array, most: int, part: Part) -> BoolArray:
    """Which tokens of rows stay. A row with at most `most` tokens keeps all.

    Args:
        offsets: Row `i` has the tokens from `offsets[i]` to `offsets[i + 1]`. Shape `(rows + 1,)`.
        most: Tokens of a row at most.
        part: Which part stays: the first ones, the last ones, or half of both (of an odd number
            one more of the first ones).

    Returns:
        Shape `(tokens,)`.
    """
    lengths = np.diff(offsets)
    position = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    left = np.repeat(lengths, lengths) - position
    last = {"tail": most, "head-tail": most // 2}.get(part, 0)
    stays: BoolArray = (position < most - last) | (left <= last)
    return stays


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Rows as windows that are no longer than what the network reads.

    Attributes:
        tokens: The windows, row after row.
        rows: The row of each window, ascending. Shape `(windows,)`.
    """

    tokens: TokenBatch
    rows: Int64Array

    def means(self, values: Float32Array) -> tuple[Int64Array, Float32Array]:
        """Average what was computed for each window, in double precision.

        Args:
            values: Shape `(windows, numbers)`.

        Returns:
            The rows, shape `(rows,)`, and the means of their windows, shape `(rows, numbers)`.
        """
        rows, first, counts = np.unique(self.rows, return_index=True, return_counts=True)
        if not len(rows):
            return rows, values
        sums = np.add.reduceat(values, first, axis=0, dtype=np.float64)
        return rows, np.asarray(sums / counts[:, None], np.float32)


def windows_of(tokens: TokenBatch, rows: Int64Array, size: int) -> Windows:
    """Cover rows with windows of equal length: as few as cover all tokens, at equal distances.

    Neighbours overlap where the length of the row asks for it. A window in which no token is known
    is left out: there is nothing to be seen in it.

    Args:
        tokens: The tokens of all rows, whole.
        rows: Positions of the rows that are wanted; each has a known token. Shape `(wanted,)`.
        size: Tokens of a window at most.
    """
    lengths = tokens.lengths[rows]
    counts = -(-lengths // size)
    owners = np.repeat(np.arange(len(rows)), counts)
    number = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    whole = lengths[owners]
    widths = np.minimum(whole, size)
    starts = tokens.offsets[rows][owners]
    starts = starts + number * (whole - widths) // np.maximum(1, counts[owners] - 1)
    known_before = np.zeros(len(tokens.token_ids) + 1, np.int64)
    np.cumsum(tokens.token_ids != OOV_ID, out=known_before[1:])
    seen = known_before[starts + widths] > known_before[starts]
    starts, widths, owners = starts[seen], widths[seen], owners[seen]
    offsets = np.concatenate([[0], np.cumsum(widths)])
    places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], widths)
    return Windows(
        tokens=TokenBatch(
            token_ids=tokens.token_ids[places],
            offsets=offsets,
            truncated=np.zeros(len(owners), bool),
        ),
        rows=rows[owners],
    )
