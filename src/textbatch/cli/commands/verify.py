"""`textbatch verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textbatch.cli.console import print_json, print_line, progress
from textbatch.cli.options import JsonOption


def verify_command(
    output: Annotated[Path, typer.Argument(help="A Parquet file or a folder that score wrote.")],
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Check that this model made it.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check that an output is as it was written.

    Example: textbatch verify out.parquet

    Recomputes the sha256 over the whole file, every page's checksum, rows and statuses. Exit
    code 65 when anything differs.
    """
    from textbatch.data.storage.location import location_of
    from textbatch.scoring.verify import verify_output

    shown = progress()
    try:
        found = verify_output(
            location_of(output),
            model=None if model is None else location_of(model),
            progress=shown,
        )
    finally:
        shown.end()
    if json:
        print_json(found.to_dict())
        return
    parts = "" if found.parts is None else f"{found.parts:,} parts, "
    print_line(f"{found.path}: {parts}{found.rows:,} rows, all as written by run {found.run_id}")
