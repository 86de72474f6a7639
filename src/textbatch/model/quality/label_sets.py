"""Sets of labels that hold the true one as often as was asked for.

By split conformal prediction with the least ambiguous sets (LAC; Sadinle, Lei and Wasserman 2019):
a set has all labels whose probability is not below a limit. The limit is the smallest probability
that a true label had among the held-out answers, but for the share that may be missed. If rows are
like the held-out ones, sets hold the true label at least as often as was asked for, over all rows.
`python -m benchmarks.label_sets` compares them with another kind of sets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textbatch.errors import QualityGateError
from textbatch.types import BoolArray, Int64Array


def least_probability(true_probabilities: Sequence[float], coverage: float) -> np.float32:
    """The limit: labels that are at least so probable are in the set.

    Args:
        true_probabilities: Calibrated probabilities of the true labels of held-out rows, in
            descending order.
        coverage: How often a set must hold the true label; above 0, below 1.

    Raises:
        QualityGateError: There are too few held-out rows to tell.
    """
    rows = len(true_probabilities)
    # The row itself is one of `rows + 1` that are alike, so the limit is a bit lower than the
    # quantile of the held-out rows.
    rank = math.ceil((rows + 1) * coverage)
    if rank > rows:
        needed = math.ceil(coverage / (1 - coverage))
        raise QualityGateError(
            f"the model has {rows:,} held-out answers, and --label-sets {coverage:g} needs "
            f"{needed:,}",
            "ask for less, or train with more validation rows or --folds",
        )
    return np.float32(true_probabilities[rank - 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSetMeasure:
    """What sets of labels do on labelled rows.

    Attributes:
        asked: How often they should hold the true label.
        coverage: How often they do, over the rows with evidence.
        mean_size: Mean number of labels in a set.
        single: Share of the sets with one label.
        worst_label: The true label that is in its rows' sets least often; None without rows.
        worst_coverage: How often it is.
        held_out: Held-out answers that decided.
    """

    asked: float
    coverage: float
    mean_size: float
    single: float
    worst_label: str | None
    worst_coverage: float
    held_out: int


def measure_sets(
    sets: BoolArray, true: Int64Array, labels: Sequence[str], *, asked: float, held_out: int
) -> LabelSetMeasure:
    """Measure sets of labels.

    Args:
        sets: Which labels are in the set of each row. Shape `(rows, labels)`.
        true: True labels. Shape `(rows,)`.
        labels: Names of the labels.
        asked: How often they should hold the true label.
        held_out: Held-out answers that decided.
    """
    held = sets[np.arange(len(true)), true]
    sizes = sets.sum(axis=1)
    by_label = {int(label): float(held[true == label].mean()) for label in np.unique(true)}
    worst = min(by_label, key=lambda label: by_label[label], default=None)
    rows = max(1, len(true))
    return LabelSetMeasure(
        asked=asked,
        coverage=float(held.sum() / rows),
        mean_size=float(sizes.sum() / rows),
        single=float((sizes == 1).sum() / rows),
        worst_label=None if worst is None else labels[worst],
        worst_coverage=0.0 if worst is None else by_label[worst],
        held_out=held_out,
    )
