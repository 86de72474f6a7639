"""The commonest confusions of labels, which tell more than a matrix that no screen holds."""

from __future__ import annotations

from textbatch.model.quality.metrics import Metrics


def commonest_confusions(metrics: Metrics, *, most: int) -> list[tuple[int, int, int, float]]:
    """List confusions: true label, predicted label, rows, share of the true label's rows.

    Those with the most rows come first.

    Args:
        metrics: What was measured.
        most: Limit on their number.
    """
    found = [
        (true, predicted, count, count / metrics.labels[true].rows)
        for true, row in enumerate(metrics.confusion)
        for predicted, count in enumerate(row)
        if count and true != predicted
    ]
    return sorted(found, key=lambda entry: (-entry[2], -entry[3], entry[:2]))[:most]
