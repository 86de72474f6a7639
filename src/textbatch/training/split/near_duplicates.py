"""Texts that repeat each other. They must not leak from one part of a split into another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from textbatch.text.normalization import split_tokens
from textbatch.training.split.minhash import near_duplicate_groups
from textbatch.types import Int64Array

#: A larger family cannot stay together. It would fill a whole part, or leave a part empty.
MAX_FAMILY_SHARE = 0.05
_MIN_FAMILY = 10


def text_groups(texts: pa.Array, warnings: list[str]) -> tuple[Int64Array, int]:
    """Number rows so that rows that must stay on one side of a split have the same number.

    These are texts of the same tokens, and near duplicates. Fixed forms can make very large
    families of near duplicates. If a family has more than `MAX_FAMILY_SHARE` of the rows, only
    texts of the same tokens stay together.

    Args:
        texts: Strings without nulls. Shape `(rows,)`.
        warnings: Gets a message if a family was too large.

    Returns:
        The numbers, shape `(rows,)`; and how many rows stay together with a text that is not equal
        to theirs.
    """
    tokens, offsets = split_tokens(texts)
    equal = _equal_groups(tokens, offsets)
    near = _near_groups(tokens, offsets, equal)
    limit = max(_MIN_FAMILY, int(MAX_FAMILY_SHARE * len(equal)))
    too_large = np.bincount(near)[near] > limit
    # A family that has only equal texts stays together.
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
    """Count rows whose text is also in the training part, or nearly.

    Args:
        training: Texts to learn from, without nulls. Shape `(rows,)`.
        held_out: Texts of each other part, by its name. Shapes `(rows,)`.
        warnings: Gets a message for each part with such rows.

    Returns:
        Number of such rows in each part.
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
    """For each row the first row of its family. Shape `(rows,)`."""
    token_ids = tokens.dictionary_encode().indices.to_numpy().astype(np.int64)
    # Of equal texts, only one has to be compared with the others.
    first = np.unique(equal)
    lengths = np.diff(offsets)[first]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    row = np.repeat(np.arange(len(first)), lengths)
    picked = token_ids[offsets[first][row] + np.arange(starts[-1]) - starts[row]]
    families = first[near_duplicate_groups(picked, starts)]
    return np.asarray(families[np.searchsorted(first, equal)], np.int64)


def _equal_groups(tokens: pa.Array, offsets: Int64Array) -> Int64Array:
    """For each row the first row with the same tokens. Shape `(rows,)`."""
    token_ids = tokens.dictionary_encode().indices.to_numpy()
    # The ids of a row are one binary value, which Arrow compares. Joined strings are limited to
    # 2 GiB.
    ends, data = pa.py_buffer(offsets * token_ids.itemsize), pa.py_buffer(token_ids)
    rows = pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, [None, ends, data])
    numbers = rows.dictionary_encode().indices.to_numpy()
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], np.int64)


def _varied(groups: Int64Array, equal: Int64Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where the group of a row has texts that are not equal. Shape `(rows,)`."""
    texts = np.unique(groups * len(groups) + equal) // max(1, len(groups))
    return np.bincount(texts, minlength=len(groups))[groups] > 1
