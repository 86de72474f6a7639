"""The model card of an imported model."""

from __future__ import annotations

from textbatch.model.bundle.bundle import Bundle
from textbatch.report.next_steps import command_line
from textbatch.training.config.model_import import ImportSettings


def card_of(config: ImportSettings, bundle: Bundle) -> str:
    """Write the card.

    Args:
        config: The options of `import`.
        bundle: The model.

    Returns:
        Markdown with the front matter that model hubs read.
    """
    labels = ", ".join(f"`{label}`" for label in bundle.labels)
    score = command_line(
        "score", "input.parquet", "out.parquet", "--model", ".", "--text-column", config.text_column
    )
    calibrated = (
        f"Calibrated with {bundle.calibration.rows:,} labelled rows."
        if bundle.calibration.rows
        else "Not calibrated: confidences are the network's own."
    )
    lines = [
        "---",
        "library_name: textbatch",
        "pipeline_tag: text-classification",
        "---",
        "",
        "# A textbatch model",
        "",
        f"Puts one of {len(bundle.labels)} labels on a text: {labels}.",
        "",
        "```",
        score,
        "```",
        "",
        f"A Keras network that was fitted elsewhere. {calibrated}",
        "",
        f"Network: {bundle.classifier.architecture.summary()}.",
    ]
    return "\n".join(lines) + "\n"
