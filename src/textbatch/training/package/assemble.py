"""From trained weights to a bundle that knows how good it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from textbatch.data.readers.labelled import label_counts, label_ids_of
from textbatch.model.bundle.bundle import NO_GOLDEN, Bundle, draft_bundle
from textbatch.model.bundle.golden import golden_texts
from textbatch.model.bundle.records import Golden, Int8Check, Settings
from textbatch.model.choices import Precision
from textbatch.model.engines import open_engine
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.weights import Weights
from textbatch.model.predictor import Predictor, open_predictor
from textbatch.model.quality.calibration import fit_temperature, softmax
from textbatch.model.quality.profile import training_profile
from textbatch.model.quality.reliability import Answers
from textbatch.model.quality.thresholds import HeldOut
from textbatch.report.comparison import Contender
from textbatch.report.evaluation import Evaluation
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.evaluate import evaluate_rows
from textbatch.text.vocabulary import OOV_ID, Vocabulary
from textbatch.training.package.baselines import HeldOutRows, compare, fit_baselines
from textbatch.training.split.dataset import Parts
from textbatch.types import Predictions, has_evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A bundle and what was measured of it.

    Attributes:
        bundle: Its metrics still empty.
        test: On the test rows, by the engine that `score` uses.
        answers: Each test row's.
        contenders: How simple models and the network alone do on the test rows.
    """

    bundle: Bundle
    test: Evaluation
    answers: Answers
    contenders: list[Contender]


def finish_bundle(
    weights: Weights,
    *,
    refitted: Weights | None,
    architecture: Architecture,
    settings: Settings,
    vocabulary: Vocabulary,
    parts: Parts,
    out_of_fold: HeldOutRows | None = None,
    blend: bool,
    seed: int,
    progress: Progress | None = None,
) -> Finished:
    """Fit the temperature, measure on the test rows, and record profile and golden rows.

    All of it with the engine that `score` uses, so that the numbers are those users get.

    Args:
        weights: Trained on the training rows alone; blend, temperature and thresholds go by them.
        refitted: Trained on training and validation rows, to take their place in the bundle.
        architecture: Of the network.
        settings: For the bundle.
        vocabulary: For the bundle.
        parts: The labelled rows.
        out_of_fold: The answers of a cross-validation, to go by instead of the validation rows.
        blend: Whether the linear model may be blended in, where held-out rows gain by it.
        seed: Of the golden texts.
        progress: Told about the rows.

    Returns:
        The bundle and what was measured.
    """
    draft = draft_bundle(
        weights,
        architecture=architecture,
        settings=settings,
        vocabulary=vocabulary,
        labels=parts.labels,
    )
    held_out = out_of_fold or _held_out(draft, parts)
    if refitted:
        draft = replace(draft, weights=refitted)
    with open_predictor(draft) as predictor:
        network_logits, _ = predictor.predict_logits(parts.test.texts)
    with step_of(progress, None, step="fitting simple models"):
        baselines = fit_baselines(parts, draft.tokenizer, held_out)
        contenders = compare(baselines, parts, draft.tokenizer, network_logits)
    logits = held_out.logits
    if blend and baselines.blend.weight:
        draft, logits = replace(draft, blend=baselines.blend), baselines.held_out_logits
    label_ids, _ = label_ids_of(held_out.rows.labels, parts.labels)
    evidence = np.isfinite(logits[:, 0])
    calibration = fit_temperature(logits[evidence], label_ids[evidence])
    with open_predictor(draft) as predictor:
        with step_of(progress, len(parts.test), step="testing") as step:
            test, answers = evaluate_rows(
                predictor,
                parts.test,
                temperature=calibration.temperature,
                on_rows=step.advance,
            )
        golden = _golden(predictor, calibration.temperature, seed)
    probabilities = softmax(logits[evidence], calibration.temperature)
    profile = training_profile(
        draft.tokenizer.encode(parts.training.texts),
        labels=label_counts(parts.training),
        confidences=probabilities.max(axis=1),
        oov_id=OOV_ID,
    )
    bundle = replace(
        draft,
        calibration=calibration,
        held_out=HeldOut.of(probabilities, label_ids[evidence]),
        golden=golden,
        profile=profile,
    )
    unseen = pa.concat_arrays([parts.validation.texts, parts.test.texts])
    bundle = replace(bundle, int8=_check_int8(bundle, unseen))
    return Finished(bundle=bundle, test=test, answers=answers, contenders=contenders)


def _held_out(draft: Bundle, parts: Parts) -> HeldOutRows:
    with open_predictor(draft) as predictor:
        logits, _ = predictor.predict_logits(parts.validation.texts)
    return HeldOutRows(rows=parts.validation, logits=logits)


def _check_int8(bundle: Bundle, texts: pa.Array) -> Int8Check:
    """Compare int8 with float32; this takes no labels, so the test rows serve too."""
    if bundle.architecture.bidirectional:
        return bundle.int8  # for which there is no int8
    answers: dict[Precision, Predictions] = {}
    precisions: tuple[Precision, Precision] = ("f32", "int8")
    for precision in precisions:
        engine = open_engine(bundle, name="onnx", device="cpu", precision=precision)
        # The drafts' golden rows are float32's: int8 may be too far off them to be opened.
        with Predictor(replace(bundle, golden=NO_GOLDEN), engine) as predictor:
            answers[precision] = predictor.predict(texts)
    f32, int8 = (answers[precision].probabilities for precision in precisions)
    evidence = has_evidence(answers["f32"].status)
    same = f32[evidence].argmax(axis=1) == int8[evidence].argmax(axis=1)
    return Int8Check(
        rows=int(evidence.sum()),
        agreement=float(same.mean()),
        max_difference=float(np.abs(f32[evidence] - int8[evidence]).max()),
    )


def _golden(predictor: Predictor, temperature: float, seed: int) -> Golden:
    bundle = predictor.bundle
    length = bundle.architecture.max_sequence_length
    texts = golden_texts(bundle.vocabulary, max_sequence_length=length, seed=seed)
    logits, status = predictor.predict_logits(pa.array(texts, pa.large_string()))
    answered = np.flatnonzero(has_evidence(status))
    return Golden(
        texts=[texts[row] for row in answered],
        probabilities=softmax(logits[answered], temperature).tolist(),
    )
