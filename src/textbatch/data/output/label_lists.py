"""Any number of labels for a row: those whose probability reaches their threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from textbatch.types import BoolArray, Float32Array


def label_lists(
    probabilities: Float32Array,
    evidence: BoolArray,
    labels: Sequence[str],
    thresholds: Float32Array,
) -> list[pa.Array]:
    """The labels of each row and their probabilities, the most probable one first.

    Args:
        probabilities: Calibrated probabilities; NaN without evidence. Shape `(rows, labels)`.
        evidence: Whether each row has probabilities. Shape `(rows,)`.
        labels: Names of the labels.
        thresholds: The least probability of each label. Shape `(labels,)`.

    Returns:
        Two lists of equal length in each row: texts, and float32. Without evidence both are null;
        a row that has none of the labels has empty lists. Shape `(rows,)`.
    """
    known = probabilities[evidence]
    given = known >= thresholds
    # A stable sort: of equal probabilities, the label that is first in the bundle is first.
    order = np.argsort(-known, axis=1, kind="stable")
    taken = np.take_along_axis(given, order, axis=1)
    values = np.take_along_axis(known, order, axis=1)[taken]
    sizes = np.zeros(len(evidence), np.int64)
    sizes[evidence] = given.sum(axis=1)
    offsets = np.zeros(len(evidence) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    names = pa.array(labels, pa.string()).take(pa.array(order[taken]))
    ends, mask = pa.array(offsets), pa.array(~evidence)
    return [
        pa.ListArray.from_arrays(ends, names, mask=mask),
        pa.ListArray.from_arrays(ends, pa.array(values, pa.float32()), mask=mask),
    ]
