"""Options that several commands share, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from textbatch.data.choices import IfExists
from textbatch.errors import ConflictError
from textbatch.model.choices import Precision

LogFormat = Literal["text", "json"]


ModelOption = Annotated[
    Path,
    typer.Option(
        "--model", "-m", envvar="TEXTBATCH_MODEL", help="Model directory; also TEXTBATCH_MODEL."
    ),
]
TextColumnOption = Annotated[
    str | None, typer.Option(help="Column that holds the text \\[default: the model's].")
]
LabelColumnOption = Annotated[str, typer.Option(help="Column that holds the label.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
ReportOption = Annotated[
    Path | None, typer.Option(help="Write the run's report to this JSON file, on failure too.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON record to stdout.")]
LogFormatOption = Annotated[
    LogFormat,
    typer.Option(
        envvar="TEXTBATCH_LOG_FORMAT", help="Of messages; json makes each an object on a line."
    ),
]
PrecisionOption = Annotated[
    Precision, typer.Option(help="int8 is faster, where the model allows it.")
]
ThreadsOption = Annotated[
    int | None, typer.Option(help="CPU threads \\[default: what this process may use].")
]
ReportTextsOption = Annotated[
    bool, typer.Option("--report-texts", help="Quote the surest mistakes in the HTML report.")
]
SettingsOption = Annotated[
    Path | None, typer.Option(help="TOML or JSON file with settings of the recipe.")
]
JobsOption = Annotated[
    int | None, typer.Option(help="Folds trained at a time \\[default: one per core].")
]


def existing(if_exists: IfExists, *, overwrite: bool) -> IfExists:
    """What `--if-exists` and its short form `--overwrite` ask for together.

    Raises:
        ConflictError: They contradict each other.
    """
    if overwrite and if_exists == "skip":
        raise ConflictError("--overwrite contradicts --if-exists skip", "leave one out")
    return "replace" if overwrite else if_exists
