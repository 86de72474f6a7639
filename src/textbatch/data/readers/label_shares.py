"""Shares of labels in rows: how much of a row is of which label."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.types import Float32Array, Float64Array, Int64Array

#: How rows hold their shares: labels in any order.
SHARES = pa.large_list(pa.struct([("label", pa.large_string()), ("share", pa.float64())]))
#: Of a number for each label, smaller ones are left out.
_LEAST = 0.002


def certain(labels: pa.Array, share: Float64Array | None = None) -> pa.Array:
    """Shares of rows that have one label.

    Args:
        labels: Shape `(rows,)`.
        share: What each label has; None for 1. Shape `(rows,)`.
    """
    values = np.ones(len(labels)) if share is None else share
    return rows_of_shares(np.arange(len(labels)), labels, values, len(labels))


def shares_of_vectors(values: Float32Array | Float64Array, labels: Sequence[str]) -> pa.Array:
    """Shares of rows that have a number for each label; without those next to nothing.

    Args:
        values: Each row adds up to 1, or to 0 for no label. Shape `(rows, labels)`.
        labels: The labels, in order.
    """
    kept = np.where(values >= _LEAST, values, 0).astype(np.float64)
    kept /= np.maximum(kept.sum(axis=1, keepdims=True), _LEAST)
    rows, places = np.nonzero(kept)
    names = pa.array(labels, pa.large_string()).take(pa.array(places))
    return rows_of_shares(rows, names, kept[rows, places], len(values))


def renamed_shares(shares: pa.Array, rename: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Give labels other names.

    Args:
        shares: Shape `(rows,)`.
        rename: Gives the new name of each; null for one that is left out.
    """
    rows, labels, values = entries_of(shares)
    return rows_of_shares(rows, rename(labels), values, len(shares))


def mixed_shares(first: pa.Array, second: pa.Array, share: Float64Array) -> pa.Array:
    """Mix two distributions.

    Args:
        first: Shares of rows. Shape `(rows,)`.
        second: Other shares of the same rows. Shape `(rows,)`.
        share: What the second one counts, the first one the rest to 1. Shape `(rows,)`.
    """
    rows, names, values = entries_of(first)
    others, other_names, other_values = entries_of(second)
    together = np.concatenate([rows, others])
    order = np.argsort(together, kind="stable")
    mixed = np.concatenate([values * (1 - share)[rows], other_values * share[others]])
    labels = pa.concat_arrays([names, other_names]).take(pa.array(order))
    return rows_of_shares(together[order], labels, mixed[order], len(first))


def dense_shares(shares: pa.Array, labels: Sequence[str]) -> Float32Array:
    """Shares as a distribution over labels.

    What a row lacks to 1 is spread over the labels that it does not name. Labels that are not asked
    for are left out, and the others fill their place.

    Args:
        shares: Each row has one of the labels. Shape `(rows,)`.
        labels: The labels, in order.

    Returns:
        Each row adds up to 1. Shape `(rows, labels)`.
    """
    rows, names, values = entries_of(shares)
    places = pc.fill_null(pc.index_in(names, value_set=pa.array(labels, pa.large_string())), -1)
    places = places.to_numpy(zero_copy_only=False)
    known = places >= 0
    dense = np.zeros((len(shares), len(labels)))
    np.add.at(dense, (rows[known], places[known]), values[known])
    unnamed = np.ones(dense.shape, bool)
    unnamed[rows[known], places[known]] = False
    rest = np.maximum(0, 1 - np.bincount(rows, values, minlength=len(shares)))
    dense += unnamed * (rest / np.maximum(1, unnamed.sum(axis=1)))[:, None]
    return np.asarray(dense / dense.sum(axis=1, keepdims=True), np.float32)


def entries_of(shares: pa.Array) -> tuple[Int64Array, pa.Array, Float64Array]:
    """The row of each label, the label and its share. Shapes `(entries,)`.

    Args:
        shares: Shape `(rows,)`.
    """
    lengths = pc.list_value_length(shares).to_numpy(zero_copy_only=False).astype(np.int64)
    entries = shares.flatten()
    values = pc.struct_field(entries, "share").to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(shares)), lengths), pc.struct_field(entries, "label"), values


def rows_of_shares(
    rows: Int64Array, labels: pa.Array, values: Float64Array, count: int
) -> pa.Array:
    """Put labels and shares into their rows.

    Args:
        rows: The row of each label, ascending. Shape `(entries,)`.
        labels: Shape `(entries,)`.
        values: The shares. Shape `(entries,)`.
        count: How many rows there are.
    """
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=count), out=offsets[1:])
    entries = pa.StructArray.from_arrays(
        [labels.cast(pa.large_string()), pa.array(values)], fields=list(SHARES.value_type)
    )
    return pa.LargeListArray.from_arrays(pa.array(offsets), entries)
