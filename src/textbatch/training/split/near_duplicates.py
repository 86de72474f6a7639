"""Texts that repeat each other, found so that they cannot leak from one part into another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from textbatch.text.normalization import split_tokens
from textbatch.training.split.minhash import near_duplicate_groups
from textbatch.types import Int64Array

#: A larger family cannot stay together: it would fill a part, or leave none for the others.
MAX_FAMILY_SHARE = 0.05
_MIN_FAMILY = 10


def text_groups(texts: pa.Array, warnings: list[str]) -> tuple[Int64Array, int]:
    """Number rows so that those who must stay on one side of a split share a number.

    These are texts of the same tokens and near duplicates. Families of near duplicates above
    `MAX_FAMILY_SHARE` of the rows, as fixed forms make, fall back to texts of the same tokens.

    Args:
        texts: Without nulls. Shape `(rows,)`.
        warnings: Gets a line where families were too large.

    Returns:
        The numbers, shape `(rows,)`, and how many rows stay with one that is not their equal.
    """
    tokens, offsets = split_tokens(texts)
    equal = _equal_groups(tokens, offsets)
    near = _near_groups(tokens, offsets, equal)
    limit = max(_MIN_FAMILY, int(MAX_FAMILY_SHARE * len(equal)))
    too_large = np.bincount(near)[near] > limit
    # A family of equal texts alone stays: there are no others to learn from.
    too_large &= _varied(near, equal)
    if too_large.any():
        warnings.append(
            f"{int(too_large.sum()):,} rows belong to {len(np.unique(near[too_large])):,} families "
            f"of near duplicates larger than {limit:,} rows, which no split can keep on one side: "
            "held-out rows resemble training rows"
        )
    groups = np.where(too_large, equal, near)
    return groups, int(_varied(groups, equal).sum())


def count_repeats(
    training: pa.Array, held_out: Mapping[str, pa.Array], warnings: list[str]
) -> dict[str, int]:
    """Count rows of given files whose text is in the training part too, or nearly.

    Args:
        training: Texts to learn from, without nulls.
        held_out: Texts by the name of their part.
        warnings: Gets a line for each part with such rows.

    Returns:
        Rows by part.
    """
    counts: dict[str, int] = {}
    for name, texts in held_out.items():
        tokens, offsets = split_tokens(pa.concat_arrays([training, texts]))
        groups = _near_groups(tokens, offsets, _equal_groups(tokens, offsets))
        known, asked = groups[: len(training)], groups[len(training) :]
        counts[name] = int(np.isin(asked, known).sum())
        if counts[name]:
            warnings.append(
                f"{counts[name]:,} of {len(texts):,} {name} rows repeat a training text, word for "
                "word or nearly: the metrics look better than they are"
            )
    return counts


def _near_groups(tokens: pa.Array, offsets: Int64Array, equal: Int64Array) -> Int64Array:
    """The lowest row of each row's family, its equals included. Shape `(rows,)`."""
    token_ids = tokens.dictionary_encode().indices.to_numpy().astype(np.int64)
    # Equal texts are settled: one speaks for all.
    first = np.unique(equal)
    lengths = np.diff(offsets)[first]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    row = np.repeat(np.arange(len(first)), lengths)
    picked = token_ids[offsets[first][row] + np.arange(starts[-1]) - starts[row]]
    families = first[near_duplicate_groups(picked, starts)]
    return np.asarray(families[np.searchsorted(first, equal)], np.int64)


def _equal_groups(tokens: pa.Array, offsets: Int64Array) -> Int64Array:
    """The first row with the same tokens. Shape `(rows,)`."""
    token_ids = tokens.dictionary_encode().indices.to_numpy()
    # A row's ids as one binary value, which Arrow compares; joined strings would end at 2 GiB.
    ends, data = pa.py_buffer(offsets * token_ids.itemsize), pa.py_buffer(token_ids)
    rows = pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, [None, ends, data])
    numbers = rows.dictionary_encode().indices.to_numpy()
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], np.int64)


def _varied(groups: Int64Array, equal: Int64Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where a row's group holds texts that are not equal. Shape `(rows,)`."""
    texts = np.unique(groups * len(groups) + equal) // max(1, len(groups))
    return np.bincount(texts, minlength=len(groups))[groups] > 1
