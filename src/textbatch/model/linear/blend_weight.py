"""How much of the linear model is added to the network. Held-out rows decide."""

from __future__ import annotations

import numpy as np

from textbatch.model.quality.calibration import fit_temperature
from textbatch.types import Float32Array, Float64Array, Int64Array

#: Where a model is sure, a margin is about 1 and a logit is several times that. So these weights
#: go from almost only the network to almost only the linear model.
WEIGHTS = tuple(0.25 * 2 ** (step / 2) for step in range(15))


def fit_blend_weight(
    logits: Float32Array,
    margins: Float32Array,
    label_ids: Int64Array,
    weights: Float64Array | None = None,
) -> tuple[float, float]:
    """Find the weight with the smallest loss on held-out rows.

    Logarithmic opinion pool (Genest and Zidek 1986): `logits + weight * margins`. Each weight is
    tried with the temperature that suits it best.

    Args:
        logits: Logits of the network, for rows that neither model has seen. Shape
            `(rows, labels)`.
        margins: Margins of the linear model. Shape `(rows, labels)`.
        label_ids: True labels. Shape `(rows,)`.
        weights: Of the rows; None if they count the same. Shape `(rows,)`.

    Returns:
        The weight (0 if none helps), and the mean negative log-likelihood with it.

    Raises:
        DataError: There are no rows.
    """
    losses = {
        weight: fit_temperature(
            np.asarray(logits + np.float32(weight) * margins), label_ids, weights
        ).nll_after
        for weight in (0.0, *WEIGHTS)
    }
    best = min(losses, key=lambda weight: losses[weight])
    return best, losses[best]
