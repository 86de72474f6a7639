"""The profile of the training texts and answers, which later runs are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from textbatch.data.strict_json import Count, Share
from textbatch.types import CONFIDENCE_BINS, Float32Array, TokenBatch

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProfile:
    """What the training texts and answers looked like.

    Attributes:
        rows: Training rows.
        tokens_by_quantile: Tokens of a text, cut to the length limit, by quantile, such as `0.5`.
        truncated_share: Share of texts that were cut.
        oov_share: Share of tokens that the vocabulary lacks.
        labels: Training rows by label.
        confidence_histogram: Held-out rows over equal bins of confidence from 0 to 1.
    """

    rows: Count
    tokens_by_quantile: dict[str, float]
    truncated_share: Share
    oov_share: Share
    labels: dict[str, Count]
    confidence_histogram: list[Count]


def training_profile(
    tokens: TokenBatch, *, labels: Mapping[str, int], confidences: Float32Array, oov_id: int
) -> TrainingProfile:
    """Describe the training data.

    Args:
        tokens: Tokens of the training texts, cut to the limit on length.
        labels: Number of training rows for each label.
        confidences: Calibrated confidences of held-out rows. On its training rows the network is
            surer. Shape `(rows,)`.
        oov_id: The id of unknown tokens.
    """
    histogram, _ = np.histogram(confidences, bins=CONFIDENCE_BINS, range=(0.0, 1.0))
    lengths = tokens.lengths
    return TrainingProfile(
        rows=len(tokens),
        tokens_by_quantile={str(q): float(np.quantile(lengths, q)) for q in _QUANTILES},
        truncated_share=float(tokens.truncated.mean()),
        oov_share=float((tokens.token_ids == oov_id).mean()),
        labels=dict(labels),
        confidence_histogram=histogram.tolist(),
    )
