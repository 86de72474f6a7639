"""The profile of the training texts and answers, which later runs are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from textbatch.model.quality.reliability import CONFIDENCE_BINS
from textbatch.types import Float32Array, TokenBatch

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def training_profile(
    tokens: TokenBatch, *, labels: Mapping[str, int], confidences: Float32Array, oov_id: int
) -> dict[str, Any]:
    """Describe the training data.

    Args:
        tokens: Tokens of the training texts, cut to the limit on length.
        labels: Number of training rows for each label.
        confidences: Calibrated confidences of validation rows. On its training rows the network is
            surer. Shape `(rows,)`.
        oov_id: The id of unknown tokens.

    Returns:
        Plain JSON values: quantiles of the number of tokens, the shares of truncated texts and of
        OOV tokens, the number of rows for each label, and a histogram of confidences over equal
        bins from 0 to 1.
    """
    histogram, _ = np.histogram(confidences, bins=CONFIDENCE_BINS, range=(0.0, 1.0))
    lengths = tokens.lengths
    return {
        "rows": len(tokens),
        "tokens_by_quantile": {str(q): float(np.quantile(lengths, q)) for q in _QUANTILES},
        "truncated_share": float(tokens.truncated.mean()),
        "oov_share": float((tokens.token_ids == oov_id).mean()),
        "labels": dict(labels),
        "confidence_histogram": histogram.tolist(),
    }
