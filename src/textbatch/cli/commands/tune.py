"""`textbatch tune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from textbatch.cli.console import event, log_as, print_json, print_line, progress, results, say
from textbatch.cli.options import (
    JsonOption,
    LabelColumnOption,
    LogFormatOption,
    ReportOption,
    SettingsOption,
)
from textbatch.training.config.train import Preset, TrainConfig
from textbatch.training.config.tune import TuneConfig


def tune_command(
    inputs: Annotated[list[Path], typer.Argument(help="Labelled Parquet, CSV or JSONL files.")],
    study: Annotated[Path, typer.Option(help="Directory that keeps the trials.")] = Path("study"),
    text_column: Annotated[str, typer.Option(help="Column that holds the text.")] = "text",
    label_column: LabelColumnOption = "label",
    validation: Annotated[Path | None, typer.Option(help="Labelled file to choose by.")] = None,
    test: Annotated[
        Path | None, typer.Option(help="Labelled file that stays unused; without it, a tenth.")
    ] = None,
    preset: Annotated[Preset, typer.Option(help="Recipe to start from.")] = "default",
    settings: SettingsOption = None,
    trials: Annotated[int, typer.Option(help="Trials in all, earlier runs' counted.")] = 30,
    time_budget: Annotated[
        float | None, typer.Option(help="Seconds after which no trial starts.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    report: ReportOption = None,
    json: JsonOption = False,
    log_format: LogFormatOption = "text",
) -> None:
    """Search settings that suit the rows; run again, it goes on.

    Example: textbatch tune tickets.csv --study study --trials 30

    The best are written to best.toml in the study's directory, for train --settings. Needs
    optuna, the extra `tune`.
    """
    log_as(log_format, command="tune", run_id=uuid4().hex[:16])
    from textbatch.report.files import failure_reported

    with failure_reported(report, lambda: {"study": str(study)}):
        config = TuneConfig(
            train=TrainConfig(
                inputs=tuple(inputs),
                text_column=text_column,
                label_column=label_column,
                validation=validation,
                test=test,
                preset=preset,
                seed=seed,
                settings=settings,
                report=report,
            ),
            study=study,
            trials=trials,
            time_budget=time_budget,
        )
    from textbatch.report.terminal.tuning import tuning_tables
    from textbatch.training.tune import tune

    shown = progress()
    try:
        done = tune(config, say=say, progress=shown)
    finally:
        shown.end()
    for warning in done.warnings:
        say(f"warning: {warning}")
    event("finished", done.to_dict())
    if json:
        print_json(done.to_dict())
        return
    for part in tuning_tables(done):
        results.print(part)
    print_line(f"{done.settings_file}: for train --settings")
