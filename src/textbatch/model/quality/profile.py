"""What the training texts and answers looked like, to compare later runs with."""

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
        tokens: The training texts, cut to the length limit.
        labels: Training rows by label.
        confidences: Calibrated, on validation rows: on its training rows the network is surer.
            Shape `(rows,)`.
        oov_id: What stands for unknown tokens.

    Returns:
        Plain JSON values: token counts by quantile, the share of truncated texts and of OOV
        tokens, the label mix, and a histogram of confidences over equal bins from 0 to 1.
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
