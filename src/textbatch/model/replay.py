"""The golden rows of a bundle, answered again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from textbatch.errors import BundleError
from textbatch.model.bundle.golden import replayed
from textbatch.model.bundle.records import Golden
from textbatch.model.choices import Precision
from textbatch.model.layout import LAYOUT

if TYPE_CHECKING:
    from textbatch.model.predictor import Predictor

#: Largest difference of a golden row: other processors round differently.
GOLDEN_TOLERANCE: dict[Precision, float] = {"f32": 1e-4, "int8": 0.05}


def replay(predictor: Predictor, golden: Golden) -> None:
    """Answer the golden rows of a bundle, and compare the answers.

    Args:
        predictor: Opened with the bundle.
        golden: Its golden rows.

    Raises:
        BundleError: The answers differ, or computing them would take too long.
    """
    counts = predictor.seen, predictor.early_rows
    golden = replayed(golden, predictor.classifier.architecture)
    answers = predictor.predict(pa.array(golden.texts, pa.large_string())).probabilities
    predictor.seen, predictor.early_rows = counts
    worst = float(np.abs(answers - np.array(golden.probabilities, np.float32)).max())
    # In this form NaN fails too.
    if not worst <= GOLDEN_TOLERANCE[predictor.engine.precision]:
        raise BundleError(
            "the model's golden rows (texts whose answers it must give again) are off by "
            f"{worst:.2g} on {predictor.engine.name}",
            f"compare the versions in {LAYOUT.manifest} with `textbatch --version`, or train again",
        )
