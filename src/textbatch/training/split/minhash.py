"""Finds texts that are nearly equal: MinHash signatures (Broder 1997), cut into bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from textbatch.types import Int64Array

#: Near duplicates have at least this Jaccard similarity of their word pairs. With it, about one
#: word in twelve may differ.
SIMILARITY = 0.7
#: Only the beginning of a longer text is compared.
_MAX_TOKENS = 256
#: Signatures of 20 bands with 4 hashes find 99.6 % of the pairs at `SIMILARITY`, and more above it.
_BANDS, _BAND_HASHES = 20, 4
#: A row is compared with this many neighbours in a band, so that equal keys cost linear time.
_NEIGHBOURS = 3
#: Limits the working memory to some tens of MB.
_SHINGLES_AT_ONCE = 1 << 20

UInt64Array = NDArray[np.uint64]


def near_duplicate_groups(token_ids: Int64Array, offsets: Int64Array) -> Int64Array:
    """Number rows so that near duplicates have the same number.

    Two rows are near duplicates if the Jaccard similarity of their word pairs is at least
    `SIMILARITY`. The beginning and the end of a text count as words. Rows that are linked through
    other rows are one group. Time and memory grow linearly with the number of tokens, because only
    neighbours in a band are compared. So a pair at the limit may be missed. A pair below the limit
    is never taken.

    Args:
        token_ids: All tokens as numbers, row after row. Shape `(tokens,)`.
        offsets: Row `i` is `token_ids[offsets[i]:offsets[i + 1]]`. Shape `(rows + 1,)`.

    Returns:
        For each row the first row of its group. Shape `(rows,)`.
    """
    rows = len(offsets) - 1
    shingles, starts = _shingles(token_ids, offsets)
    pairs = _candidates(_signatures(shingles, starts))
    pairs = pairs[_similar(shingles, starts, pairs)]
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (rows, rows))
    _, component = connected_components(links, directed=False)
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], np.int64)


def _shingles(token_ids: Int64Array, offsets: Int64Array) -> tuple[UInt64Array, Int64Array]:
    """The word pairs of each row as hashes, with beginning and end; and where each row starts."""
    lengths = np.minimum(np.diff(offsets), _MAX_TOKENS)
    # One mark before each row's tokens and one after: a row of n tokens has n + 1 pairs.
    starts = np.concatenate([[0], np.cumsum(lengths + 1)])
    row = np.repeat(np.arange(len(lengths)), lengths + 1)
    position = np.arange(starts[-1]) - starts[row]
    padded = np.append(token_ids.astype(np.uint64) + np.uint64(1), np.uint64(0))
    source = offsets[row] + position
    left = padded[np.where(position > 0, source - 1, -1)]
    right = padded[np.where(position < lengths[row], source, -1)]
    return _mix(left * np.uint64(0x9E3779B97F4A7C15) + right), starts


def _mix(values: UInt64Array) -> UInt64Array:
    """Spread numbers over 64 bits: the finalizer of SplitMix64 (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _signatures(shingles: UInt64Array, starts: Int64Array) -> UInt64Array:
    """The smallest hash of each row for each hash function. Shape `(rows, hashes)`."""
    random = np.random.default_rng(0)
    # Odd factors; the high bits of a product are the well-mixed ones.
    factors = random.integers(0, 2**63, _BANDS * _BAND_HASHES, dtype=np.uint64) | np.uint64(1)
    shifts = random.integers(0, 2**63, len(factors), dtype=np.uint64)
    signatures = np.empty((len(starts) - 1, len(factors)), np.uint64)
    first = 0
    while first < len(signatures):
        last = int(np.searchsorted(starts, starts[first] + _SHINGLES_AT_ONCE, side="right")) - 1
        last = max(last, first + 1)
        here = shingles[starts[first] : starts[last]]
        begins = starts[first:last] - starts[first]
        for column, (factor, shift) in enumerate(zip(factors, shifts, strict=True)):
            hashed = (here * factor + shift) >> np.uint64(32)
            signatures[first:last, column] = np.minimum.reduceat(hashed, begins)
        first = last
    return signatures


def _candidates(signatures: UInt64Array) -> Int64Array:
    """Pairs of rows that are equal in a whole band. Shape `(pairs, 2)`, lower row first."""
    found = [np.empty((0, 2), np.int64)]
    rows = len(signatures)
    for band in range(_BANDS):
        columns = signatures[:, band * _BAND_HASHES : (band + 1) * _BAND_HASHES]
        key = np.zeros(rows, np.uint64)
        for column in columns.T:
            key = _mix(key + column)
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        for step in range(1, _NEIGHBOURS + 1):
            same = np.flatnonzero(ordered[step:] == ordered[:-step])
            found.append(np.stack([order[same], order[same + step]], axis=1))
    flat = np.concatenate(found)
    # A pair becomes one number, which sorts many times faster than rows of two.
    keys = np.unique(flat[:, 0] * rows + flat[:, 1])
    return np.stack([keys // max(1, rows), keys % max(1, rows)], axis=1)


def _similar(shingles: UInt64Array, starts: Int64Array, pairs: Int64Array) -> NDArray[np.bool_]:
    """Where the true similarity of a pair reaches the limit. Shape `(pairs,)`."""
    names, columns = np.unique(shingles, return_inverse=True)
    shape = (len(starts) - 1, len(names))
    sets = csr_array((np.ones(len(columns), np.int32), columns, starts), shape)
    sets.sum_duplicates()
    sets.data[:] = 1
    sizes = np.diff(sets.indptr)
    similar = np.zeros(len(pairs), bool)
    step = max(1, _SHINGLES_AT_ONCE // (_MAX_TOKENS // 8))
    for start in range(0, len(pairs), step):
        left, right = pairs[start : start + step].T
        shared = sets[left].multiply(sets[right]).sum(axis=1)
        similar[start : start + step] = shared >= SIMILARITY * (sizes[left] + sizes[right] - shared)
    return similar
