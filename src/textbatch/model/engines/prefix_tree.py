"""The prefix tree of a mini-batch: equal beginnings, which the network computes once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textbatch.text.bucketing import MiniBatch
from textbatch.types import BoolArray, Int32Array


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixTree:
    """The prefix tree of a mini-batch, level by level. All arrays have the shape `(time, batch)`.

    Level `t` holds the distinct beginnings of `t + 1` tokens. Only neighbouring rows are compared,
    so equal beginnings are found if their rows are side by side. Rows that have ended are not in a
    level, so there is no padding.

    Attributes:
        tokens: The last token of each row's beginning.
        is_new: True where a row is the first with its beginning. The node is computed there.
        parents: The node of the row in the level before; 0 in the first level.
        nodes: The node of the row in this level.
        is_end: True where the row ends.
    """

    tokens: Int32Array
    is_new: BoolArray
    parents: Int32Array
    nodes: Int32Array
    is_end: BoolArray

    def feeds(self) -> dict[str, NDArray[np.generic]]:
        """The arrays by name, as inputs of the graph."""
        return {
            "tokens": self.tokens,
            "is_new": self.is_new,
            "parents": self.parents,
            "nodes": self.nodes,
            "is_end": self.is_end,
        }


def prefix_tree(batch: MiniBatch) -> PrefixTree:
    """Find the equal beginnings of neighbouring rows of a mini-batch."""
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
