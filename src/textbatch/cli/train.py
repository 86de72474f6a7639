"""`textbatch train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textbatch.cli.console import print_json, results, say
from textbatch.cli.options import (
    JobsOption,
    JsonOption,
    LabelColumnOption,
    OverwriteOption,
    ReportOption,
    SettingsOption,
)
from textbatch.config import Preset, TrainConfig
from textbatch.errors import printable

if TYPE_CHECKING:
    from textbatch.report.training import TrainReport


def train_command(
    inputs: Annotated[list[Path], typer.Argument(help="Labelled Parquet, CSV or JSONL files.")],
    model: Annotated[Path, typer.Option("--model", "-m", help="Directory to write.")] = Path(
        "model"
    ),
    text_column: Annotated[str, typer.Option(help="Column that holds the text.")] = "text",
    label_column: LabelColumnOption = "label",
    validation: Annotated[
        Path | None, typer.Option(help="Labelled file to stop early and calibrate with.")
    ] = None,
    test: Annotated[
        Path | None, typer.Option(help="Labelled file for the reported metrics.")
    ] = None,
    preset: Annotated[Preset, typer.Option(help="Network and recipe.")] = "default",
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    overwrite: OverwriteOption = False,
    report: ReportOption = None,
    json: JsonOption = False,
    settings: SettingsOption = None,
    folds: Annotated[int, typer.Option(help="Cross-validate in K parts first.")] = 0,
    jobs: JobsOption = None,
    out_of_fold: Annotated[
        Path | None,
        typer.Option(help="Parquet file for the folds' answers \\[default: beside the model]."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")
    ] = False,
) -> None:
    """Train a model on labelled rows.

    Example: textbatch train tickets.csv --text-column body --label-column queue

    Without --validation and --test, a tenth of the rows each is kept aside for them; rows with
    the same text, or nearly the same, stay together.
    """
    from textbatch.report.run import failure_reported

    with failure_reported(report, lambda: {"model": str(model)}):
        config = TrainConfig(
            inputs=tuple(inputs),
            model=model,
            text_column=text_column,
            label_column=label_column,
            validation=validation,
            test=test,
            preset=preset,
            seed=seed,
            overwrite=overwrite,
            report=report,
            settings=settings,
            folds=folds,
            jobs=jobs,
            out_of_fold=out_of_fold,
            resume=resume,
        )
    from textbatch.training import train

    done = train(config, say=say)
    for warning in done.warnings:
        say(f"warning: {warning}")
    if json:
        print_json(done.to_dict())
    else:
        _print(done)


def _print(done: TrainReport) -> None:
    from textbatch.report.folds import summary_line
    from textbatch.report.tables import evaluation_tables

    for table in evaluation_tables(done.test):
        results.print(table)
    if done.folds:
        results.print(summary_line(done.folds), markup=False, soft_wrap=True)
    results.print(
        f"{printable(done.model)}: epoch {done.best_epoch} of {len(done.epochs)} kept, temperature "
        f"{done.calibration.temperature:.3f}, {done.seconds:.0f} s",
        markup=False,
        soft_wrap=True,
    )
