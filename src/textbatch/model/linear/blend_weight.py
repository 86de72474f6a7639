"""How much of the linear model to add to the network, found on held-out rows."""

from __future__ import annotations

import numpy as np

from textbatch.model.quality.calibration import fit_temperature
from textbatch.types import Float32Array, Int64Array

#: A margin is about 1 where the linear model is sure, a logit several: from a touch of the linear
#: model to hardly anything else.
_WEIGHTS = tuple(0.25 * 2 ** (step / 2) for step in range(15))


def fit_blend_weight(
    logits: Float32Array, margins: Float32Array, label_ids: Int64Array
) -> tuple[float, float]:
    """Find the weight that makes held-out labels likeliest, each with its own temperature.

    Logarithmic opinion pool (Genest and Zidek 1986): `logits + weight * margins`.

    Args:
        logits: The network's, on rows that neither model saw. Shape `(rows, labels)`.
        margins: The linear model's. Shape `(rows, labels)`.
        label_ids: True labels. Shape `(rows,)`.

    Returns:
        The weight, 0 where none helps, and the mean negative log-likelihood with it.

    Raises:
        DataError: There is no row.
    """
    losses = {
        weight: fit_temperature(
            np.asarray(logits + np.float32(weight) * margins), label_ids
        ).nll_after
        for weight in (0.0, *_WEIGHTS)
    }
    best = min(losses, key=lambda weight: losses[weight])
    return best, losses[best]
