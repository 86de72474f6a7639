"""`--label-sets`: how probable a label must be to be in a row's set."""

from __future__ import annotations

import numpy as np

from textbatch.errors import QualityGateError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.quality.label_sets import least_probability
from textbatch.scoring.label_set_options import LabelSetOptions


def set_limit(bundle: Bundle, options: LabelSetOptions) -> np.float32 | None:
    """Find the limit; None if no sets are asked for.

    Args:
        bundle: Its held-out answers decide.
        options: How often a set must hold the true label.

    Raises:
        QualityGateError: It has no such answers, or too few.
    """
    if options.label_sets is None:
        return None
    known = bundle.held_out.true_probabilities
    if not known:
        imported = bundle.classifier.text is not None
        raise QualityGateError(
            "--label-sets needs the probabilities that a model gave to the true labels of held-out "
            "rows, and this one does not hold any",
            "`import` it again with --calibrate" if imported else "train it again",
        )
    return least_probability(known, options.label_sets)
