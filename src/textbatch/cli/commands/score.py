"""`textbatch score`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from textbatch.cli.console import log_as, print_json, print_line
from textbatch.cli.memory import limit_memory
from textbatch.cli.options import (
    JsonOption,
    LogFormatOption,
    ModelOption,
    OverwriteOption,
    PrecisionOption,
    ReportOption,
    TextColumnOption,
    ThreadsOption,
    existing,
)
from textbatch.data.choices import CHUNK_ROWS, IfExists, InputFormat
from textbatch.data.storage.location import location_of
from textbatch.errors import redacted
from textbatch.model.choices import DeviceName, EngineName
from textbatch.scoring.config import ScoreConfig

if TYPE_CHECKING:
    from textbatch.report.scoring import RunReport


def score_command(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...",
            help="Parquet, CSV or JSONL files, also .gz, .zst; folders; quoted globs; - for stdin.",
        ),
    ],
    output: Annotated[
        str,
        typer.Argument(help="Parquet file to write; folder/ for one part per input."),
    ],
    model: ModelOption = Path("model"),
    text_column: TextColumnOption = None,
    columns: Annotated[
        str | None, typer.Option(help="Input columns to keep, comma-separated \\[default: all].")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Put before each added column's name.")] = "",
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add the probability of every label.")
    ] = False,
    top_k: Annotated[int, typer.Option(help="Add the K best labels.")] = 0,
    min_confidence: Annotated[
        float, typer.Option(help="Withhold labels below this probability.")
    ] = 0.0,
    min_precision: Annotated[
        float, typer.Option(help="Withhold labels not shown to be right this often, as 0.95.")
    ] = 0.0,
    max_bad_rows: Annotated[
        str, typer.Option(metavar="N|P%", help="Accept that many bad rows before failing.")
    ] = "0",
    quarantine: Annotated[
        Path | None,
        typer.Option(help="Move bad rows out of the output; list them in this JSONL file."),
    ] = None,
    quarantine_text: Annotated[
        bool, typer.Option("--quarantine-text", help="Put the bad texts into that file too.")
    ] = False,
    input_format: Annotated[
        InputFormat, typer.Option("--format", help="Input format; auto goes by the name.")
    ] = "auto",
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of CSV and JSONL files \\[default: UTF-8].")
    ] = None,
    null_text: Annotated[
        list[str] | None,
        typer.Option(help="A text that stands for a missing one; may be repeated."),
    ] = None,
    engine: Annotated[EngineName, typer.Option(help="What runs the network.")] = "auto",
    device: Annotated[DeviceName, typer.Option(help="Where it runs.")] = "auto",
    precision: PrecisionOption = "f32",
    threads: ThreadsOption = None,
    chunk_rows: Annotated[int, typer.Option(help="Rows held in memory at a time.")] = CHUNK_ROWS,
    batch_tokens: Annotated[
        int | None,
        typer.Option(help="Padded tokens in a mini-batch \\[default: suits the engine]."),
    ] = None,
    overwrite: OverwriteOption = False,
    if_exists: Annotated[
        IfExists,
        typer.Option(help="Of an existing output; skip only if it is of this very job."),
    ] = "fail",
    max_memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Fail rather than use more memory, as in 2G or 512M."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Check everything, write no output.")
    ] = False,
    incremental: Annotated[
        bool,
        typer.Option("--incremental", help="Score only files that the output folder lacks."),
    ] = False,
    partition_columns: Annotated[
        bool,
        typer.Option("--partition-columns", help="Write key=value folders as columns too."),
    ] = False,
    work_dir: Annotated[
        Path | None,
        typer.Option(help="Where outputs for an object store are made \\[default: ~/.cache]."),
    ] = None,
    report: ReportOption = None,
    json: JsonOption = False,
    log_format: LogFormatOption = "text",
    metrics_file: Annotated[
        Path | None, typer.Option(help="Write the run's metrics for Prometheus to this .prom file.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with pictures of the run to this HTML file.")
    ] = None,
) -> None:
    """Put labels and confidences on every row of a file, or of all files of a folder.

    Example: textbatch score input.parquet out.parquet --model model

    One output row per input row, in order, with every input column untouched; the output
    appears whole or not at all. A folder gets one part per input file, and _SUCCESS at the end.
    """
    from textbatch.cli.score_watched import Watchers, score_watched, short_id
    from textbatch.integrations.prometheus import failure_measured
    from textbatch.report.files import failure_reported

    names = {"input": " ".join(map(str, inputs)), "output": output, "model": str(model)}
    paths = {what: redacted(name) for what, name in names.items()}
    report_place = None if report is None else location_of(report)
    run = uuid4()
    log_as(log_format, command="score", run_id=short_id(run))
    with failure_reported(report_place, lambda: paths), failure_measured(metrics_file):
        config = ScoreConfig(
            inputs=tuple(map(location_of, inputs)),
            output=location_of(output),
            as_folder=output.endswith("/"),
            incremental=incremental,
            partition_columns=partition_columns,
            model=location_of(model),
            work_dir=work_dir,
            text_column=text_column,
            columns=None if columns is None else tuple(columns.split(",")),
            prefix=prefix,
            probabilities=probabilities,
            top_k=top_k,
            min_confidence=min_confidence,
            min_precision=min_precision,
            max_bad_rows=max_bad_rows,
            quarantine=None if quarantine is None else location_of(quarantine),
            quarantine_text=quarantine_text,
            input_format=input_format,
            encoding=encoding,
            null_text=tuple(null_text or ()),
            engine=engine,
            device=device,
            precision=precision,
            threads=threads,
            chunk_rows=chunk_rows,
            batch_tokens=batch_tokens,
            if_exists=existing(if_exists, overwrite=overwrite),
            dry_run=dry_run,
            report=report_place,
        )
        watchers = Watchers(config=config, metrics_file=metrics_file, html=html)
        if max_memory is not None:
            limit_memory(max_memory)
    done = score_watched(watchers, run)
    if json:
        print_json(done.to_dict())
    else:
        _print(done)


def _print(done: RunReport) -> None:
    if done.state == "planned":
        rows = "all" if done.rows_in is None else f"{done.rows_in:,}"
        line = f"would score {rows} rows of {done.input} into {done.output}"
        print_line(line)
        return
    if done.state == "skipped":
        print_line(f"{done.output}: {done.rows_out:,} rows, skipped")
        return
    files = ""
    if done.files is not None:
        scored = done.files["scored"]
        files = f"{scored:,} file{'' if scored == 1 else 's'}, "
    rate = f", {done.rows_per_second:,.0f} rows/s" if done.rows_per_second else ""
    statuses = ", ".join(f"{name} {count:,}" for name, count in done.statuses.items())
    if done.rows_quarantined:
        statuses += f", {done.rows_quarantined:,} in quarantine"
    told = f"{files}{done.rows_out:,} rows in {done.seconds:.1f} s{rate} ({statuses})"
    print_line(f"{done.output}: {told}")
