"""The page of `evaluate --html`, and what it has in common with the page in the bundle."""

from __future__ import annotations

from dataclasses import replace

from textbatch import __version__
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.model.quality.reliability import (
    Answers,
    confidence_histogram,
    confident_errors,
    reliability_bins,
)
from textbatch.report.evaluation import Evaluation
from textbatch.report.html.page_data import ConfidentError, Picture, about_line

_MOST_ERRORS = 50


def evaluation_page(
    evaluation: Evaluation, answers: Answers, rows: LabelledRows, *, with_texts: bool
) -> str:
    """Make the page of `evaluate --html`.

    Args:
        evaluation: What was measured.
        answers: The answers that it was measured on.
        rows: The rows that were read.
        with_texts: Whether to quote the texts of the wrong answers that are listed.
    """
    from textbatch.report.html.page import page_of

    unseen = sum(evaluation.unseen_labels.values())
    told = f"{unseen:,} rows have labels that the model has never seen; no figure counts them"
    inputs = ", ".join(evaluation.input)
    left_out = {name: count for name, count in evaluation.statuses.items() if name != "ok"}
    return page_of(
        replace(
            measured_on(evaluation, answers, rows, with_texts=with_texts),
            title="Evaluation",
            lead=f"{evaluation.metrics.rows:,} labelled rows against a model's answers.",
            warnings=(*([told] if unseen else []), *evaluation.warnings),
            about=about_line(inputs, evaluation.model, evaluation.fingerprint),
            facts={
                "Input": inputs,
                "Model": evaluation.model,
                "Fingerprint": evaluation.fingerprint,
                "Not plainly ok": ", ".join(f"{name} {n:,}" for name, n in left_out.items())
                or "none",
                **_sets(evaluation),
                "textbatch": __version__,
            },
        )
    )


def _sets(evaluation: Evaluation) -> dict[str, str]:
    told = evaluation.facts()
    return {name.capitalize(): told[name] for name in told if name.startswith("label ")}


def measured_on(
    evaluation: Evaluation, answers: Answers, rows: LabelledRows, *, with_texts: bool
) -> Picture:
    """Make the part of the page that all labelled rows have. It has no title yet.

    Args:
        evaluation: What was measured.
        answers: The answers that it was measured on.
        rows: The rows that were read.
        with_texts: Whether to quote the texts of the wrong answers that are listed.
    """
    true, weights = answers.true[answers.evidence], answers.answered_weights
    right, wrong = confidence_histogram(answers.calibrated, true)
    return Picture(
        title="",
        lead="",
        metrics=evaluation.metrics,
        ece_before=evaluation.ece_before,
        ece_after=evaluation.ece_after,
        reliability_before=reliability_bins(answers.uncalibrated, true, weights=weights),
        reliability_after=reliability_bins(answers.calibrated, true, weights=weights),
        right=right,
        wrong=wrong,
        limits=evaluation.limits,
        errors=_errors(evaluation, answers, rows, with_texts=with_texts),
    )


def _errors(
    evaluation: Evaluation, answers: Answers, rows: LabelledRows, *, with_texts: bool
) -> tuple[ConfidentError, ...]:
    names = [entry.label for entry in evaluation.metrics.labels]
    numbers = rows.row_numbers
    words = {one.row: one.words for one in evaluation.errors}
    return tuple(
        ConfidentError(
            row=(row := position + 1 if numbers is None else int(numbers[position])),
            true=names[true],
            predicted=names[predicted],
            confidence=confidence,
            text=rows.texts[position].as_py() if with_texts else None,
            words=words.get(row, ""),
        )
        for position, true, predicted, confidence in confident_errors(answers, most=_MOST_ERRORS)
    )
