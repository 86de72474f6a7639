"""The column with the set of labels of each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from textbatch.types import BoolArray, Float32Array


def in_sets(probabilities: Float32Array, limit: np.float32) -> BoolArray:
    """Which labels are in the set of each row. The most probable one always is.

    Args:
        probabilities: Calibrated probabilities. Shape `(rows, labels)`.
        limit: The least probability of a label in a set.

    Returns:
        Shape `(rows, labels)`.
    """
    found: BoolArray = probabilities >= limit
    found[np.arange(len(found)), probabilities.argmax(axis=1)] = True
    return found


def label_sets(
    probabilities: Float32Array, evidence: BoolArray, labels: Sequence[str], limit: np.float32
) -> pa.ListArray:
    """The names of the labels in each set, the most probable one first; null without evidence.

    Args:
        probabilities: Calibrated probabilities; NaN without evidence. Shape `(rows, labels)`.
        evidence: Whether each row has probabilities. Shape `(rows,)`.
        labels: Names of the labels.
        limit: The least probability of a label in a set.

    Returns:
        Lists of texts. Shape `(rows,)`.
    """
    known = probabilities[evidence]
    sets = in_sets(known, limit)
    # A stable sort: of equal probabilities, the label that is first in the bundle is first.
    order = np.argsort(-known, axis=1, kind="stable")
    chosen = order[np.take_along_axis(sets, order, axis=1)]
    sizes = np.zeros(len(evidence), np.int64)
    sizes[evidence] = sets.sum(axis=1)
    offsets = np.zeros(len(evidence) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    names = pa.array(labels, pa.string()).take(pa.array(chosen))
    return pa.ListArray.from_arrays(pa.array(offsets), names, mask=pa.array(~evidence))
