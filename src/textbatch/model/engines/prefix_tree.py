"""Beginnings that rows share, so that a recurrent network computes each of them once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textbatch.text.bucketing import MiniBatch
from textbatch.types import BoolArray, Int32Array


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixTree:
    """The prefix tree of a mini-batch, level by level; all arrays of shape `(time, batch)`.

    Level `t` holds the distinct beginnings of `t + 1` tokens, as far as equal ones stand side by
    side. Rows of the mini-batch that have ended are no part of it, so it knows no padding.

    Attributes:
        tokens: The last token of each row's beginning.
        is_new: True where a row is the first with its beginning: there the node is computed.
        parents: The row's node in the level above; 0 in the first level.
        nodes: The row's node in this level.
        is_end: True where the row ends.
    """

    tokens: Int32Array
    is_new: BoolArray
    parents: Int32Array
    nodes: Int32Array
    is_end: BoolArray

    def feeds(self) -> dict[str, NDArray[np.generic]]:
        """The arrays by name."""
        return {
            "tokens": self.tokens,
            "is_new": self.is_new,
            "parents": self.parents,
            "nodes": self.nodes,
            "is_end": self.is_end,
        }


def prefix_tree(batch: MiniBatch) -> PrefixTree:
    """Find the beginnings that neighbouring rows of a mini-batch share."""
    tokens = np.ascontiguousarray(batch.token_ids.T)
    level = np.arange(len(tokens))[:, None]
    differs = np.ones(tokens.shape, bool)
    differs[:, 1:] = tokens[:, 1:] != tokens[:, :-1]
    is_new = np.logical_or.accumulate(differs, axis=0) & (level < batch.lengths)
    nodes = np.cumsum(is_new, axis=1, dtype=np.int32) - 1
    parents = np.zeros_like(nodes)
    parents[1:] = nodes[:-1]
    return PrefixTree(
        tokens=tokens,
        is_new=is_new,
        parents=parents,
        nodes=nodes,
        is_end=level == batch.lengths - 1,
    )
