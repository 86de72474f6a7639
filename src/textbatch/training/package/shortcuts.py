"""What int8 and early exit change, on rows that no model has seen.

No label of a test row is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from textbatch.model.bundle.blend import Blend
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.golden import golden_texts, telling_texts
from textbatch.model.bundle.records import EarlyExit, Golden, Int8Check
from textbatch.model.linear.early_exit import ExitRule, fit_exit_gap, margin_gaps
from textbatch.model.network.chain import Chain
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import fit_temperature_to, softmax
from textbatch.training.calibrate import Calibrated
from textbatch.training.linear import fit_linear
from textbatch.training.split.dataset import Splits
from textbatch.types import BoolArray, Float32Array, has_evidence

#: Early exit is left out where a smaller share of the rows would leave.
MIN_SHARE = 0.05
#: A row whose two highest margins are equal never leaves.
_LEAST_GAP = 1e-3
#: Golden rows of each kind: answered by the linear model alone, and not. Their gaps are this far
#: from the limit, as a share of it: other processors round differently.
_GOLDEN_ROWS, _DISTANCE = 16, 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcuts:
    """What makes scoring faster, and what it changes.

    Attributes:
        classifier: The classifier; with a linear model for early exit, if it had none.
        int8: What int8 changes; None if the network cannot use it.
        early_exit: Which rows the linear model may answer alone; None for no row.
    """

    classifier: Classifier
    int8: Int8Check | None
    early_exit: EarlyExit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding:
    """What int8 does to rows with evidence.

    Attributes:
        exact: Logits of network and linear model together. Shape `(rows, labels)`.
        int8: The same with the network in int8. Shape `(rows, labels)`.
        margins: Of the linear model; None without one. Shape `(rows, labels)`.
    """

    exact: Float32Array
    int8: Float32Array
    margins: Float32Array | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Answers to rows with evidence, by models that have not seen them.

    Attributes:
        logits: Of network and linear model together. Shape `(rows, labels)`.
        margins: Of the linear model; None without one. Shape `(rows, labels)`.
        rounding: What int8 does to these rows or to others; None if the network cannot use it.
    """

    logits: Float32Array
    margins: Float32Array | None
    rounding: Rounding | None


def find_shortcuts(
    classifier: Classifier,
    calibrated: Calibrated,
    splits: Splits,
    *,
    seed: int,
    unseen: Unseen | None = None,
) -> Shortcuts:
    """Compare int8 with float32, and find the limit for early exit.

    Args:
        classifier: What the bundle will hold.
        calibrated: The answers for held-out rows.
        splits: The labelled rows.
        seed: Of the golden texts.
        unseen: The answers of a cross-fitting; None asks the classifier about validation rows and
            test rows.
    """
    answering = _with_linear(classifier, calibrated, splits)
    unseen = unseen or _answers(answering, calibrated, splits)
    int8, flipped = _compare_int8(unseen.rounding, classifier.temperature)
    found = None
    if answering.blend and len(classifier.labels) > 1:
        found = _find_exit(answering, unseen, flipped, seed)
    return Shortcuts(classifier=answering if found else classifier, int8=int8, early_exit=found)


def _answers(answering: Classifier, calibrated: Calibrated, splits: Splits) -> Unseen:
    """Answers to held-out rows and test rows."""
    linear, evidence = calibrated.linear, calibrated.held_out.evidence
    with open_predictor(answering) as predictor:
        logits, status = predictor.predict_logits(splits.test.texts)
    tested = has_evidence(status)
    if not (linear and answering.blend):
        held_out = calibrated.held_out.logits[evidence]
        margins = None
    else:
        held_out = linear.logits[evidence]
        of_test = answering.blend.model.margins(answering.tokenizer.encode(splits.test.texts))
        margins = np.concatenate([linear.margins[evidence], of_test[tested]])
    return Unseen(
        logits=np.concatenate([held_out, logits[tested]]),
        margins=margins,
        rounding=_rounding(answering, splits),
    )


def _rounding(answering: Classifier, splits: Splits) -> Rounding | None:
    """What int8 does to validation rows and test rows."""
    network = answering.architecture
    if isinstance(network, Chain) or network.bidirectional:
        return None
    texts = pa.concat_arrays([splits.validation.texts, splits.test.texts])
    with open_predictor(answering) as predictor:
        exact, status = predictor.predict_logits(texts)
    with open_predictor(answering, precision="int8") as predictor:
        rounded, _ = predictor.predict_logits(texts)
    evidence = has_evidence(status)
    margins = None
    if answering.blend:
        margins = answering.blend.model.margins(answering.tokenizer.encode(texts))[evidence]
    return Rounding(exact=exact[evidence], int8=rounded[evidence], margins=margins)


def _compare_int8(
    rounding: Rounding | None, temperature: float
) -> tuple[Int8Check | None, BoolArray | None]:
    """What int8 changes, and for which of its rows it changes the label; None without int8."""
    if rounding is None or not len(rounding.exact):
        return None, None
    exact, rounded = (softmax(one, temperature) for one in (rounding.exact, rounding.int8))
    flipped = exact.argmax(axis=1) != rounded.argmax(axis=1)
    check = Int8Check(
        rows=len(exact),
        agreement=float(1 - flipped.mean()),
        max_difference=float(np.abs(exact - rounded).max()),
    )
    return check, flipped


def _with_linear(classifier: Classifier, calibrated: Calibrated, splits: Splits) -> Classifier:
    """The classifier with a linear model, which has no weight if it does not help the network."""
    if classifier.blend or calibrated.linear is None:
        return classifier
    model = fit_linear(
        splits,
        classifier.tokenizer,
        calibrated.linear.features,
        vectors=calibrated.held_out.vectors,
    )
    return replace(classifier, blend=Blend(weight=0.0, model=model))


def _find_exit(
    classifier: Classifier, unseen: Unseen, flipped: BoolArray | None, seed: int
) -> EarlyExit | None:
    margins, logits = unseen.margins, unseen.logits
    assert margins is not None, "there is a linear model"
    gaps = margin_gaps(margins)
    changed = margins.argmax(axis=1) != logits.argmax(axis=1)
    gap = fit_exit_gap(gaps, changed) if len(gaps) else None
    if gap is None:
        return None
    gap = max(gap, _LEAST_GAP)
    leaving = gaps >= np.float32(gap)
    if leaving.mean() < MIN_SHARE:
        return None
    temperature = fit_temperature_to(
        margins[leaving], logits[leaving] / np.float32(classifier.temperature)
    )
    rule = ExitRule(gap=gap, temperature=temperature)
    lost = float((changed & leaving).mean())
    # Of rows that stay with the network, some get another label in int8.
    staying = 0.0
    if flipped is not None and unseen.rounding and unseen.rounding.margins is not None:
        staying = float((flipped & ~rule.leaving(unseen.rounding.margins)).mean())
    return EarlyExit(
        gap=gap,
        temperature=temperature,
        rows=len(gaps),
        share=float(leaving.mean()),
        agreement=1 - lost,
        int8_agreement=None if flipped is None else max(0.0, 1 - lost - staying),
        golden=_golden(classifier, rule, seed),
    )


def _golden(classifier: Classifier, rule: ExitRule, seed: int) -> Golden:
    """Texts of both kinds, where there are some, and their probabilities with early exit."""
    assert classifier.blend is not None
    length = classifier.architecture.max_sequence_length
    texts = [
        *telling_texts(classifier.vocabulary, classifier.blend.model.linear.weights),
        *golden_texts(classifier.vocabulary, max_sequence_length=length, seed=seed + 1),
    ]
    strings = pa.array(texts, pa.large_string())
    gaps = margin_gaps(classifier.blend.model.margins(classifier.tokenizer.encode(strings)))
    far = np.abs(gaps - rule.gap) > _DISTANCE * rule.gap
    kinds = (far & (gaps >= rule.gap), far & (gaps < rule.gap))
    picked = np.concatenate([np.flatnonzero(kind)[:_GOLDEN_ROWS] for kind in kinds])
    with open_predictor(classifier) as predictor:
        predictor.exits = rule
        answers = predictor.predict(strings.take(pa.array(picked)))
    answered = np.flatnonzero(has_evidence(answers.status))
    return Golden(
        texts=[texts[row] for row in picked[answered]],
        probabilities=answers.probabilities[answered].tolist(),
    )
