"""The HTML page of a training, `report.html` in the bundle."""

from __future__ import annotations

import math
import os
import platform
from dataclasses import replace
from importlib.metadata import version

from textbatch import __version__
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.quality.reliability import (
    Answers,
    length_histogram,
)
from textbatch.model.quality.thresholds import HeldOut, thresholds
from textbatch.model.vectors.coverage import VectorCoverage
from textbatch.report.comparison import Contender
from textbatch.report.evaluation import Evaluation
from textbatch.report.html.evaluation_page import measured_on
from textbatch.report.html.page_data import Coverage, Threshold, about_line
from textbatch.report.speed import speed_facts
from textbatch.report.training import TrainReport
from textbatch.training.config.train import TrainConfig
from textbatch.types import Int64Array

#: The page shows how many labels this `--min-precision` would withhold.
_PRECISION = 0.95


def training_page(
    bundle: Bundle,
    fingerprint: str,
    *,
    config: TrainConfig,
    report: TrainReport,
    answers: Answers,
    test: LabelledRows,
    lengths: Int64Array,
) -> str:
    """Make the bundle's `report.html`.

    Args:
        bundle: The finished bundle.
        fingerprint: The fingerprint that it will have.
        config: The options of the training.
        report: Its report so far.
        answers: The predictions for the test rows.
        test: The test rows.
        lengths: Tokens in each training text, before it is cut. Shape `(training rows,)`.
    """
    # Here, not at the top: matplotlib takes its time, and a page is not always wanted.
    from textbatch.report.html.page import page_of

    limit = bundle.classifier.architecture.max_sequence_length
    measured = measured_on(report.test, answers, test, with_texts=config.report_texts)
    return page_of(
        replace(
            measured,
            title="Training report",
            lead=_lead(report),
            epochs=tuple(report.epochs),
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
            about=about_line(", ".join(map(os.fspath, config.inputs)), report.model, fingerprint),
            facts={
                "Input": ", ".join(map(os.fspath, config.inputs)),
                "Model": report.model,
                "Fingerprint": fingerprint,
                **_facts(bundle, config, report),
            },
        )
    )


def _lead(report: TrainReport) -> str:
    rows = report.rows
    if report.measured_on == "folds":
        folds = len(report.folds.folds) if report.folds else 0
        return (
            f"Measured on {rows['test']:,} rows in {folds} folds, each row by models that had not "
            f"seen its label. The model itself learned from all of them."
        )
    told = f"Measured on {rows['test']:,} test rows that training never saw. "
    if not rows["validation"]:
        return told + f"{rows['training']:,} rows to learn from, in folds that calibrate."
    return (
        f"{told}{rows['training']:,} rows to learn from, {rows['validation']:,} to "
        f"{'stop early and to ' if report.epochs else ''}calibrate with."
    )


def _threshold(label: str, confidences: list[float], correct: list[bool]) -> Threshold:
    alone = HeldOut(confidences=[confidences], correct=[correct])
    lowest = float(thresholds(alone, (label,), _PRECISION)[0])
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
    sizes = bundle.classifier.architecture
    parameters = sum(math.prod(shape) for shape in sizes.tensor_shapes().values())
    calibration = bundle.calibration
    return {
        "Preset": bundle.settings.preset,
        "Seed": str(config.seed),
        "Text column": config.text_column,
        "Label column": config.label_column,
        "Vocabulary": f"{sizes.vocabulary_size:,} tokens",
        "Unknown tokens in training": f"{bundle.profile.oov_share:.1%}",
        "Length limit": f"{sizes.max_sequence_length} tokens",
        "Network": sizes.summary(),
        "Linear model": f"blended in with weight {report.blend_weight:.2f}"
        if report.blend_weight
        else "none",
        "Weights": f"{parameters:,}",
        "Temperature": f"{calibration.temperature:.3f}, fitted on {calibration.rows:,} rows",
        "Log loss on those rows": f"{calibration.nll_after:.4f} "
        f"({calibration.nll_before:.4f} before)",
        **speed_facts(bundle.int8, bundle.early_exit),
        **({"Cross-validation": report.folds.line()} if report.folds else {}),
        **({"More rows": report.learning_curve.line()} if report.learning_curve else {}),
        "Training took": f"{report.seconds:,.0f} s",
        "textbatch": __version__,
        "Python": platform.python_version(),
        **{name: version(name) for name in ("keras", "tensorflow", "gensim", "onnxruntime")},
    }
