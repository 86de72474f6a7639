"""`textbatch train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from textbatch.cli.console import event, log_as, print_json, print_line, progress, results, say
from textbatch.cli.options import (
    JobsOption,
    JsonOption,
    LabelColumnOption,
    LogFormatOption,
    OverwriteOption,
    ReportOption,
    ReportTextsOption,
    SettingsOption,
)
from textbatch.errors import UsageError, printable
from textbatch.model.choices import Cell, Pooling
from textbatch.training.config.train import BlendMode, Preset, TrainConfig

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
    vectors: Annotated[
        list[Path] | None,
        typer.Option(help="Pretrained word vectors: word2vec, GloVe or fastText. Repeatable."),
    ] = None,
    unlabelled: Annotated[
        list[Path] | None,
        typer.Option(help="Texts to train word vectors on too; .txt has one a line. Repeatable."),
    ] = None,
    keep_vectors: Annotated[
        int, typer.Option(help="Words to keep that have a vector but that training never saw.")
    ] = 20_000,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    overwrite: OverwriteOption = False,
    report: ReportOption = None,
    json: JsonOption = False,
    cell: Annotated[
        Cell | None, typer.Option(help="Cell of the recurrent layers \\[default: the preset's].")
    ] = None,
    layers: Annotated[
        int | None, typer.Option(help="How many recurrent layers \\[default: the preset's].")
    ] = None,
    units: Annotated[
        str | None,
        typer.Option(help="Their widths, comma-separated, or one for all; per direction."),
    ] = None,
    bidirectional: Annotated[
        bool | None, typer.Option(help="Read texts both ways, or one way.")
    ] = None,
    pooling: Annotated[
        Pooling | None, typer.Option(help="What the last layer's states become.")
    ] = None,
    blend: Annotated[
        BlendMode, typer.Option(help="Add a linear model where held-out rows gain by it.")
    ] = "auto",
    require_baseline: Annotated[
        bool, typer.Option("--require-baseline", help="Fail where a simple model does better.")
    ] = False,
    report_texts: ReportTextsOption = False,
    refit: Annotated[
        bool,
        typer.Option("--refit", help="Fit once more, to training and validation rows together."),
    ] = False,
    self_train: Annotated[
        bool,
        typer.Option(
            "--self-train", help="Learn from the surest answers to --unlabelled, if that helps."
        ),
    ] = False,
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
    augment: Annotated[
        str,
        typer.Option(
            help="none, auto (kept where validation improves), all, or, with commas between, some "
            "of templates, synonyms, neighbours, swap, delete, typos."
        ),
    ] = "none",
    template_file: Annotated[
        Path | None, typer.Option(help="TOML with patterns for the labels' texts, to augment with.")
    ] = None,
    synonyms: Annotated[
        Path | None,
        typer.Option(help="Synonyms to augment with: a group a line, commas between."),
    ] = None,
    log_format: LogFormatOption = "text",
) -> None:
    """Train a model on labelled rows.

    Example: textbatch train tickets.csv --text-column body --label-column queue

    Without --validation and --test, a tenth of the rows each is kept aside for them; rows with
    the same text, or nearly the same, stay together.
    """
    log_as(log_format, command="train", run_id=uuid4().hex[:16])
    from textbatch.report.files import failure_reported

    with failure_reported(report, lambda: {"model": str(model)}):
        config = TrainConfig(
            inputs=tuple(inputs),
            model=model,
            text_column=text_column,
            label_column=label_column,
            validation=validation,
            test=test,
            preset=preset,
            vectors=tuple(vectors or ()),
            unlabelled=tuple(unlabelled or ()),
            keep_vectors=keep_vectors,
            seed=seed,
            if_exists="replace" if overwrite else "fail",
            report=report,
            cell=cell,
            layers=layers,
            units=_widths(units),
            bidirectional=bidirectional,
            pooling=pooling,
            blend=blend,
            require_baseline=require_baseline,
            report_texts=report_texts,
            refit=refit,
            self_train=self_train,
            settings=settings,
            folds=folds,
            jobs=jobs,
            out_of_fold=out_of_fold,
            resume=resume,
            augment=augment,
            template_file=template_file,
            synonyms=synonyms,
        )
    from textbatch.training.train import train

    shown = progress()
    try:
        done = train(config, say=say, progress=shown)
    finally:
        shown.end()
    for warning in done.warnings:
        say(f"warning: {warning}")
    event("finished", done.to_dict())
    if json:
        print_json(done.to_dict())
    else:
        _print(done)


def _print(done: TrainReport) -> None:
    from textbatch.report.terminal.tables import comparison_table, evaluation_tables
    from textbatch.training.out_of_fold import summary_line

    for table in evaluation_tables(done.test):
        results.print(table)
    results.print(comparison_table(done.contenders, done.test))
    for line in done.vectors.lines() if done.vectors else ():
        print_line(line)
    if done.folds:
        print_line(summary_line(done.folds))
    print_line(
        f"{done.model}: epoch {done.best_epoch} of {len(done.epochs)} kept, temperature "
        f"{done.calibration.temperature:.3f}, {done.seconds:.0f} s"
    )


def _widths(units: str | None) -> tuple[int, ...] | None:
    if units is None:
        return None
    try:
        return tuple(int(width) for width in units.split(","))
    except ValueError:
        raise UsageError(
            f"--units is '{printable(units)}'", "give whole numbers, such as --units 150,200"
        ) from None
