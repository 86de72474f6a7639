"""`textbatch evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from textbatch.cli.console import event, log_as, print_json, progress, results
from textbatch.cli.options import (
    JsonOption,
    LabelColumnOption,
    LogFormatOption,
    ModelOption,
    PrecisionOption,
    ReportOption,
    ReportTextsOption,
    TextColumnOption,
    ThreadsOption,
)
from textbatch.data.choices import InputFormat
from textbatch.errors import ConflictError
from textbatch.model.choices import DeviceName, EngineName


def evaluate_command(
    inputs: Annotated[list[Path], typer.Argument(help="Labelled Parquet, CSV or JSONL files.")],
    model: ModelOption = Path("model"),
    text_column: TextColumnOption = None,
    label_column: LabelColumnOption = "label",
    input_format: Annotated[
        InputFormat, typer.Option("--format", help="Input format; auto goes by the name.")
    ] = "auto",
    engine: Annotated[EngineName, typer.Option(help="What runs the network.")] = "auto",
    device: Annotated[DeviceName, typer.Option(help="Where it runs.")] = "auto",
    precision: PrecisionOption = "f32",
    threads: ThreadsOption = None,
    report: ReportOption = None,
    json: JsonOption = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with pictures to this HTML file.")
    ] = None,
    report_texts: ReportTextsOption = False,
    log_format: LogFormatOption = "text",
) -> None:
    """Measure a model on labelled rows.

    Example: textbatch evaluate labelled.parquet --model model

    Rows without evidence count as wrong; labels that the model has never seen are listed and
    left out of the metrics.
    """
    log_as(log_format, command="evaluate", run_id=uuid4().hex[:16])
    from textbatch.report.files import failure_reported, write_json
    from textbatch.report.terminal.tables import evaluation_tables
    from textbatch.scoring.evaluate import evaluate

    if html and report and html.resolve() == report.resolve():
        raise ConflictError(f"--html and --report name one file {html}", "give each its own")
    with failure_reported(report, lambda: {"model": str(model)}):
        done = evaluate(
            tuple(inputs),
            model,
            text_column=text_column,
            label_column=label_column,
            input_format=input_format,
            engine=engine,
            device=device,
            precision=precision,
            threads=threads,
            html=html,
            report_texts=report_texts,
            progress=progress(),
        )
    if report:
        write_json(report, done.to_dict())
    event("finished", done.to_dict())
    if json:
        print_json(done.to_dict())
        return
    for part in evaluation_tables(done):
        results.print(part)
