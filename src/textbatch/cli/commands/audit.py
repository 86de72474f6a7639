"""`textbatch audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from textbatch.cli.console import event, log_as, print_json, progress, results, say
from textbatch.cli.options import (
    JobsOption,
    JsonOption,
    LabelColumnOption,
    LogFormatOption,
    OverwriteOption,
    ReportOption,
    SettingsOption,
)
from textbatch.training.config.audit import AuditConfig
from textbatch.training.config.train import Preset, TrainConfig


def audit_command(
    inputs: Annotated[list[Path], typer.Argument(help="Labelled Parquet, CSV or JSONL files.")],
    output: Annotated[Path, typer.Option("--output", "-o", help=".parquet or .csv file.")] = Path(
        "label-errors.parquet"
    ),
    text_column: Annotated[str, typer.Option(help="Column that holds the text.")] = "text",
    label_column: LabelColumnOption = "label",
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", help="Ask this model, which must not know the rows."),
    ] = None,
    folds: Annotated[int, typer.Option(help="Cross-validate in K parts.")] = 5,
    jobs: JobsOption = None,
    texts: Annotated[bool, typer.Option("--texts", help="Write the texts too.")] = False,
    preset: Annotated[Preset, typer.Option(help="Network and recipe.")] = "default",
    settings: SettingsOption = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    overwrite: OverwriteOption = False,
    report: ReportOption = None,
    json: JsonOption = False,
    log_format: LogFormatOption = "text",
) -> None:
    """List rows whose label is likely wrong.

    Example: textbatch audit tickets.csv --output label-errors.csv

    Every row is answered by a network that has not seen it. Needs cleanlab,
    the extra `audit`.
    """
    log_as(log_format, command="audit", run_id=uuid4().hex[:16])
    from textbatch.report.files import failure_reported

    with failure_reported(report, lambda: {"output": str(output)}):
        config = AuditConfig(
            train=TrainConfig(
                inputs=tuple(inputs),
                text_column=text_column,
                label_column=label_column,
                preset=preset,
                seed=seed,
                settings=settings,
                folds=folds,
                jobs=jobs,
                report=report,
            ),
            output=output,
            model=model,
            texts=texts,
            if_exists="replace" if overwrite else "fail",
        )
    from textbatch.report.terminal.audit import audit_tables
    from textbatch.training.audit import audit

    shown = progress()
    try:
        done = audit(config, say=say, progress=shown)
    finally:
        shown.end()
    for warning in done.warnings:
        say(f"warning: {warning}")
    event("finished", done.to_dict())
    if json:
        print_json(done.to_dict())
        return
    for part in audit_tables(done):
        results.print(part)
