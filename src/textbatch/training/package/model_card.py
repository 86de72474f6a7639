"""The model card, README.md in each bundle."""

from __future__ import annotations

from collections.abc import Sequence

from textbatch.report.evaluation import Evaluation
from textbatch.report.next_steps import command_line

_SCORE = ("score", "input.parquet", "out.parquet", "--model", ".", "--text-column")


def model_card(
    *,
    labels: Sequence[str],
    text_column: str,
    origin: str,
    network: str,
    test: Evaluation,
    measured_on: str,
    folds: str = "",
    vectors: Sequence[str] = (),
) -> str:
    """Write the card.

    Args:
        labels: The labels, in order.
        text_column: Column that held the text in training.
        origin: Where the network comes from, in a sentence.
        network: The architecture on one line.
        test: What was measured.
        measured_on: What it was measured on, in words.
        folds: What a cross-validation measured, in a line; empty without one.
        vectors: Origin and licence of each source of word vectors that others published.

    Returns:
        Markdown with the front matter that model hubs read.
    """
    scores = test.metrics
    lines = [
        "---",
        "library_name: textbatch",
        "pipeline_tag: text-classification",
        "---",
        "",
        "# A textbatch model",
        "",
        f"Puts one of {len(labels)} labels on a text: {', '.join(f'`{name}`' for name in labels)}.",
        "",
        "```",
        command_line(*_SCORE, text_column),
        "```",
        "",
        origin,
        (
            f"On {measured_on}: accuracy {scores.accuracy:.4f}, macro F1 "
            f"{scores.macro_f1:.4f}, expected calibration error {test.ece_after:.4f} "
            f"({test.ece_before:.4f} before calibration)."
        ),
        *([f"Cross-validation: {folds}."] if folds else []),
        "",
        "| label | precision | recall | F1 | rows |",
        "|---|--:|--:|--:|--:|",
        *(
            f"| {entry.label} | {_number(entry.precision)} | {_number(entry.recall)} "
            f"| {_number(entry.f1)} | {entry.rows:,} |"
            for entry in scores.labels
        ),
        "",
        f"Network: {network}.",
        "",
        *(f"Word vectors: {told}." for told in vectors),
        *([""] if vectors else []),
        (
            "The files hold data only; `textbatch inspect .` shows them, `manifest.json` lists "
            "their sha256."
        ),
    ]
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
