"""A cross-validation in one line, which the report, the card, the page and `inspect` share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MEASURES = {"accuracy": "accuracy", "macro_f1": "macro F1", "ece": "ECE"}


def folds_line(record: Mapping[str, Any]) -> str:
    """Describe a cross-validation.

    Args:
        record: A `FoldsSummary` as JSON values.
    """
    measured = (
        f"{name} {record[key]['mean']:.4f} ± {record[key]['deviation']:.4f}"
        for key, name in _MEASURES.items()
    )
    return f"{len(record['folds'])} folds, {record['rows']:,} rows: {', '.join(measured)}"
