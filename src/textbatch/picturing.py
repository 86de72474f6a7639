"""From measured answers to the HTML page: `report.html` in the bundle, `evaluate --html`."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from textbatch import __version__
from textbatch.batch import Int64Array
from textbatch.config import TrainConfig
from textbatch.data.labelled import LabelledRows
from textbatch.data.writer import check_output
from textbatch.errors import ConflictError, QualityGateError
from textbatch.model.bundle import Bundle
from textbatch.model.settings import Epoch
from textbatch.quality.answers import (
    Answers,
    confidence_histogram,
    confident_errors,
    length_histogram,
    reliability_bins,
)
from textbatch.quality.coverage import VectorCoverage
from textbatch.quality.thresholds import HeldOut, thresholds
from textbatch.report.comparison import Contender
from textbatch.report.evaluation import Evaluation
from textbatch.report.picture import ConfidentError, Coverage, Picture, Threshold
from textbatch.report.training import TrainReport

_MOST_ERRORS = 50
#: The page shows what `--min-precision` of this would withhold.
_PRECISION = 0.95


def training_page(
    bundle: Bundle,
    *,
    config: TrainConfig,
    report: TrainReport,
    epochs: Sequence[Epoch],
    answers: Answers,
    test: LabelledRows,
    lengths: Int64Array,
) -> str:
    """The bundle's `report.html`.

    Args:
        bundle: Finished.
        config: What training was asked to do.
        report: What it did; `seconds` as of now.
        epochs: What each pass measured.
        answers: On the test rows.
        test: The test rows.
        lengths: Of the training texts in tokens, uncut. Shape `(training rows,)`.
    """
    # Here, not at the top: matplotlib takes its time, and a page is not always wanted.
    from textbatch.report.page import page_of

    rows = report.rows
    limit = bundle.architecture.max_sequence_length
    measured = _measured(report.test, answers, test, with_texts=config.report_texts)
    return page_of(
        replace(
            measured,
            title="Training report",
            lead=f"Measured on {rows['test']:,} test rows that training never saw. "
            f"{rows['training']:,} rows to learn from, {rows['validation']:,} to "
            f"{'stop early and to ' if epochs else ''}calibrate with.",
            epochs=tuple(epochs),
            best_epoch=report.best_epoch,
            lengths=length_histogram(lengths, limit),
            contenders=(*report.contenders, _this_model(report.test)),
            coverage=_coverage(report.vectors),
            thresholds=tuple(
                map(
                    _threshold,
                    bundle.labels,
                    bundle.held_out.confidences,
                    bundle.held_out.correct,
                )
            ),
            warnings=tuple(report.warnings),
            facts=_facts(bundle, config, report),
        )
    )


def evaluation_page(
    evaluation: Evaluation, answers: Answers, rows: LabelledRows, *, with_texts: bool
) -> str:
    """The page of `evaluate --html`.

    Args:
        evaluation: What was measured.
        answers: What it was measured on.
        rows: The rows that were read.
        with_texts: Quote the texts of the surest mistakes.
    """
    from textbatch.report.page import page_of

    unseen = sum(evaluation.unseen_labels.values())
    warnings = [f"{unseen:,} rows have labels that the model has never seen; no figure counts them"]
    left_out = {name: count for name, count in evaluation.statuses.items() if name != "ok"}
    return page_of(
        replace(
            _measured(evaluation, answers, rows, with_texts=with_texts),
            title="Evaluation",
            lead=f"{evaluation.metrics.rows:,} labelled rows against a model's answers.",
            warnings=tuple(warnings if unseen else ()),
            facts={
                "Rows": ", ".join(evaluation.input),
                "Model": evaluation.model,
                "Fingerprint": evaluation.fingerprint,
                "Not plainly ok": ", ".join(f"{name} {n:,}" for name, n in left_out.items())
                or "none",
                "textbatch": __version__,
            },
        )
    )


def check_page(path: Path, inputs: Sequence[Path], model: Path | None) -> None:
    """Check before the work that a page can be written at a place.

    Raises:
        ConflictError: One of the inputs is there, or it lies in the bundle.
        OutputError: No file can be made there.
    """
    if path.resolve() in {entry.resolve() for entry in inputs}:
        raise ConflictError(f"--html names the input {path}", "give it a file of its own")
    if model and path.resolve().parent == model.resolve():
        # A bundle with a file that its manifest does not list is refused.
        raise ConflictError(f"--html names a file in the model {model}", "write it elsewhere")
    check_output(path, overwrite=True)


def _threshold(label: str, confidences: list[float], correct: list[bool]) -> Threshold:
    alone = HeldOut(confidences=[confidences], correct=[correct])
    try:
        lowest = float(thresholds(alone, (label,), _PRECISION)[0])
    except QualityGateError:
        return Threshold(label=label, threshold=None)
    kept = [
        right
        for confidence, right in zip(confidences, correct, strict=True)
        if confidence >= lowest
    ]
    if not kept:
        return Threshold(label=label, threshold=None)
    return Threshold(
        label=label,
        threshold=lowest,
        precision=sum(kept) / len(kept),
        kept=len(kept) / len(confidences),
    )


def _measured(
    evaluation: Evaluation, answers: Answers, rows: LabelledRows, *, with_texts: bool
) -> Picture:
    """What can be said of any labelled rows."""
    true = answers.true[answers.evidence]
    right, wrong = confidence_histogram(answers.calibrated, true)
    return Picture(
        title="",
        lead="",
        metrics=evaluation.metrics,
        ece_before=evaluation.ece_before,
        ece_after=evaluation.ece_after,
        reliability_before=reliability_bins(answers.uncalibrated, true),
        reliability_after=reliability_bins(answers.calibrated, true),
        right=right,
        wrong=wrong,
        errors=_errors(evaluation, answers, rows, with_texts=with_texts),
    )


def _errors(
    evaluation: Evaluation, answers: Answers, rows: LabelledRows, *, with_texts: bool
) -> tuple[ConfidentError, ...]:
    names = [entry.label for entry in evaluation.metrics.labels]
    numbers = rows.row_numbers
    return tuple(
        ConfidentError(
            row=position + 1 if numbers is None else int(numbers[position]),
            true=names[true],
            predicted=names[predicted],
            confidence=confidence,
            text=rows.texts[position].as_py() if with_texts else None,
        )
        for position, true, predicted, confidence in confident_errors(answers, most=_MOST_ERRORS)
    )


def _this_model(test: Evaluation) -> Contender:
    found = test.metrics
    return Contender(name="this model", accuracy=found.accuracy, macro_f1=found.macro_f1, ours=True)


def _coverage(vectors: VectorCoverage | None) -> tuple[Coverage, ...]:
    if vectors is None:
        return ()
    return tuple(
        Coverage(
            source=source.name,
            words=round(source.vocabulary * vectors.seen_words),
            vocabulary_share=source.vocabulary,
            token_share=source.training_tokens,
        )
        for source in vectors.sources
    )


def _facts(bundle: Bundle, config: TrainConfig, report: TrainReport) -> dict[str, str]:
    sizes = bundle.architecture
    parameters = sum(math.prod(shape) for shape in sizes.tensor_shapes().values())
    calibration = bundle.calibration
    return {
        "Preset": bundle.settings.preset,
        "Seed": str(config.seed),
        "Text column": config.text_column,
        "Label column": config.label_column,
        "Vocabulary": f"{sizes.vocabulary_size:,} tokens",
        "Unknown tokens in training": f"{bundle.profile['oov_share']:.1%}",
        "Length limit": f"{sizes.max_sequence_length} tokens",
        "Network": sizes.summary(),
        "Linear model": f"blended in with weight {report.blend_weight:.2f}"
        if report.blend_weight
        else "none",
        "Weights": f"{parameters:,}",
        "Temperature": f"{calibration.temperature:.3f}, fitted on {calibration.rows:,} rows",
        "Log loss on those rows": f"{calibration.nll_after:.4f} "
        f"({calibration.nll_before:.4f} before)",
        "int8": f"same label on {bundle.int8.agreement:.2%} of {bundle.int8.rows:,} rows",
        "Training took": f"{report.seconds:,.0f} s",
        "textbatch": __version__,
        "Python": platform.python_version(),
        **{name: version(name) for name in ("keras", "tensorflow", "gensim", "onnxruntime")},
    }
