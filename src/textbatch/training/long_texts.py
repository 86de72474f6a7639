"""Which part of long texts a model reads: held-out rows decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from textbatch.model.bundle.classifier import Classifier
from textbatch.model.predictor import Predictor
from textbatch.model.quality.calibration import fit_temperature, softmax
from textbatch.report.training import LongTextsRecord
from textbatch.text.choices import Part
from textbatch.types import Float32Array, Float64Array, Int64Array

#: What is tried beside the first tokens.
_OTHERS: tuple[Part, ...] = ("tail", "head-tail", "window")
#: Fewer long rows, or a smaller share of all, are but a few.
_LEAST_ROWS, _LEAST_SHARE = 30, 0.01
#: Another part must lose less by so many nats a long row, and by so many standard errors.
_GAIN, _ERRORS = 0.02, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LongAnswers:
    """Answers to texts that are longer than what a network reads, by the part that it read.

    Attributes:
        rows: Positions of these texts. Shape `(long,)`.
        logits: Of each part, NaN without evidence. Shape `(long, labels)`.
    """

    rows: Int64Array
    logits: Mapping[Part, Float32Array] = field(default_factory=dict)


def long_answers(predictor: Predictor, texts: pa.Array) -> LongAnswers:
    """Answer the long ones of texts, reading other parts of them.

    Args:
        predictor: What answers; it reads the first tokens.
        texts: Valid strings. Shape `(rows,)`.
    """
    own = predictor.tokenizer
    rows = np.flatnonzero(own.encode(texts).truncated)
    found: dict[Part, Float32Array] = {}
    if len(rows):
        long = texts.take(pa.array(rows))
        for part in _OTHERS:
            predictor.tokenizer = replace(own, on_long=part)
            found[part], _ = predictor.predict_logits(long)
        predictor.tokenizer = own
    return LongAnswers(rows=rows, logits=found)


def choose_part(
    logits: Float32Array, long: LongAnswers, label_ids: Int64Array, limit: int
) -> LongTextsRecord | None:
    """Choose the part of long texts that loses least.

    The first tokens stay, unless another part is better than chance explains (a paired comparison
    of the losses).

    Args:
        logits: The answers to held-out rows by their first tokens; NaN without evidence. Shape
            `(rows, labels)`.
        long: The answers to the long ones of them by other parts.
        label_ids: True labels of the rows. Shape `(rows,)`.
        limit: How many tokens the network reads.

    Returns:
        What was compared; None where only a few rows are long.
    """
    if len(long.rows) < max(_LEAST_ROWS, _LEAST_SHARE * len(logits)):
        return None
    evidence = np.isfinite(logits[:, 0])
    temperature = fit_temperature(logits[evidence], label_ids[evidence]).temperature
    answers: dict[Part, Float32Array] = {"head": logits[long.rows], **long.logits}
    answered = np.all([np.isfinite(one[:, 0]) for one in answers.values()], axis=0)
    if answered.sum() < _LEAST_ROWS:
        return None
    true = label_ids[long.rows][answered]
    losses = {part: _losses(one[answered], true, temperature) for part, one in answers.items()}
    chosen: Part = "head"
    for part in long.logits:
        gains = losses["head"] - losses[part]
        chance = _ERRORS * gains.std(ddof=1) / np.sqrt(len(gains))
        better = losses[part].mean() < losses[chosen].mean()
        if better and gains.mean() > max(_GAIN, chance):
            chosen = part
    return LongTextsRecord(
        limit=limit,
        rows=int(answered.sum()),
        losses={part: float(one.mean()) for part, one in losses.items()},
        chosen=chosen,
    )


def reading(classifier: Classifier, chosen: LongTextsRecord) -> Classifier:
    """Let a classifier read the chosen part.

    Args:
        classifier: It reads the first tokens.
        chosen: The choice.
    """
    if chosen.chosen == "head":
        return classifier
    return replace(classifier, on_long=chosen.chosen)


def _losses(logits: Float32Array, true: Int64Array, temperature: float) -> Float64Array:
    shares = softmax(logits, temperature)[np.arange(len(true)), true].astype(np.float64)
    return np.asarray(-np.log(np.maximum(shares, 1e-12)))
