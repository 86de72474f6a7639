"""`textbatch train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textbatch.cli.console import print_json, results, say
from textbatch.cli.options import JsonOption, LabelColumnOption, OverwriteOption, ReportOption
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
    augment: Annotated[
        str,
        typer.Option(
            help="none, auto (kept where validation improves), all, or some of templates,"
            "synonyms,neighbours,swap,delete,typos."
        ),
    ] = "none",
    template_file: Annotated[
        Path | None, typer.Option(help="TOML with patterns for the labels' texts, to augment with.")
    ] = None,
    synonyms: Annotated[
        Path | None,
        typer.Option(help="Synonyms to augment with: a group a line, commas between."),
    ] = None,
) -> None:
    """Train a model on labelled rows.

    Example: textbatch train tickets.csv --text-column body --label-column queue

    Without --validation and --test, a tenth of the rows each is kept aside for them; rows with
    the same text stay together.
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
            augment=augment,
            template_file=template_file,
            synonyms=synonyms,
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
    from textbatch.report.tables import evaluation_tables

    for table in evaluation_tables(done.test):
        results.print(table)
    results.print(
        f"{printable(done.model)}: epoch {done.best_epoch} of {len(done.epochs)} kept, temperature "
        f"{done.calibration.temperature:.3f}, {done.seconds:.0f} s",
        markup=False,
        soft_wrap=True,
    )
