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
from textbatch.model.quality.calibration import fit_temperature_to
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


def find_shortcuts(
    classifier: Classifier, calibrated: Calibrated, splits: Splits, *, seed: int
) -> Shortcuts:
    """Compare int8 with float32, and find the limit for early exit.

    Args:
        classifier: What the bundle will hold.
        calibrated: The answers for held-out rows.
        splits: The labelled rows.
        seed: Of the golden texts.
    """
    int8, flipped = _compare_int8(classifier, splits)
    answering = _with_linear(classifier, calibrated, splits)
    found = None
    if answering.blend and len(classifier.labels) > 1:
        found = _find_exit(answering, calibrated, splits, flipped, seed)
    return Shortcuts(classifier=answering if found else classifier, int8=int8, early_exit=found)


def _unseen(splits: Splits) -> pa.Array:
    return pa.concat_arrays([splits.validation.texts, splits.test.texts])


def _compare_int8(
    classifier: Classifier, splits: Splits
) -> tuple[Int8Check | None, BoolArray | None]:
    """What int8 changes, and for which unseen texts it changes the label; None without int8."""
    network = classifier.architecture
    if isinstance(network, Chain) or network.bidirectional:
        return None, None
    texts = _unseen(splits)
    with open_predictor(classifier) as predictor:
        exact = predictor.predict(texts)
    with open_predictor(classifier, precision="int8") as predictor:
        rounded = predictor.predict(texts)
    evidence = has_evidence(exact.status)
    if not evidence.any():
        return None, None
    f32, int8 = exact.probabilities[evidence], rounded.probabilities[evidence]
    flipped = np.zeros(len(texts), bool)
    flipped[evidence] = f32.argmax(axis=1) != int8.argmax(axis=1)
    check = Int8Check(
        rows=int(evidence.sum()),
        agreement=float(1 - flipped[evidence].mean()),
        max_difference=float(np.abs(f32 - int8).max()),
    )
    return check, flipped


def _with_linear(classifier: Classifier, calibrated: Calibrated, splits: Splits) -> Classifier:
    """The classifier with a linear model, which has no weight if it does not help the network."""
    if classifier.blend or calibrated.linear is None:
        return classifier
    model = fit_linear(splits, classifier.tokenizer, calibrated.linear.features)
    return replace(classifier, blend=Blend(weight=0.0, model=model))


def _find_exit(
    classifier: Classifier,
    calibrated: Calibrated,
    splits: Splits,
    flipped: BoolArray | None,
    seed: int,
) -> EarlyExit | None:
    margins, logits = _held_out(classifier, calibrated, splits)
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
    return EarlyExit(
        gap=gap,
        temperature=temperature,
        rows=len(gaps),
        share=float(leaving.mean()),
        agreement=1 - lost,
        int8_agreement=None
        if flipped is None
        else max(0.0, 1 - lost - _flipped_share(classifier, splits, flipped, rule)),
        golden=_golden(classifier, rule, seed),
    )


def _held_out(
    classifier: Classifier, calibrated: Calibrated, splits: Splits
) -> tuple[Float32Array, Float32Array]:
    """Margins and logits of held-out rows and test rows with evidence. Shapes `(rows, labels)`."""
    assert calibrated.linear is not None
    assert classifier.blend is not None
    evidence = calibrated.held_out.evidence
    with open_predictor(classifier) as predictor:
        logits, status = predictor.predict_logits(splits.test.texts)
    tested = has_evidence(status)
    margins = classifier.blend.model.margins(classifier.tokenizer.encode(splits.test.texts))
    return (
        np.concatenate([calibrated.linear.margins[evidence], margins[tested]]),
        np.concatenate([calibrated.linear.logits[evidence], logits[tested]]),
    )


def _flipped_share(
    classifier: Classifier, splits: Splits, flipped: BoolArray, rule: ExitRule
) -> float:
    """Share of the unseen rows that stay with the network and get another label in int8."""
    assert classifier.blend is not None
    margins = classifier.blend.model.margins(classifier.tokenizer.encode(_unseen(splits)))
    return float((flipped & ~rule.leaving(margins)).mean())


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
