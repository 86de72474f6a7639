"""What a model calls ordinary: learned from held-out rows."""

from __future__ import annotations

import numpy as np

from textbatch.model.beside import novelty_numbers
from textbatch.model.quality.novelty import Novelty
from textbatch.training.calibrate import Calibrated


def ordinary_texts(calibrated: Calibrated) -> Novelty | None:
    """Learn how unlike each other ordinary texts are; None where there are too few.

    Args:
        calibrated: A classifier, and its answers to rows that it has not seen.
    """
    held_out, linear = calibrated.held_out, calibrated.linear
    logits = linear.logits if linear and linear.weight else held_out.logits
    rows = np.flatnonzero(held_out.evidence)
    tokenizer = calibrated.classifier.tokenizer
    tokens = tokenizer.encode(held_out.rows.texts.fill_null(""))
    temperature = calibrated.classifier.temperature
    numbers = novelty_numbers(tokens, rows, logits, temperature, tokenizer, known=held_out.known)
    return Novelty.fitted(numbers)
