"""`textbatch inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textbatch.cli.console import print_json, results
from textbatch.cli.options import JsonOption


def inspect_command(
    path: Annotated[Path, typer.Argument(help="A model directory, or what score wrote.")],
    json: JsonOption = False,
) -> None:
    """Show what a model or an output holds, in one screen.

    Example: textbatch inspect model
    """
    from textbatch.data.storage.location import location_of
    from textbatch.report.terminal.tables import inspection_tables
    from textbatch.scoring.inspect import inspect_path

    found = inspect_path(location_of(path))
    if json:
        print_json(found.to_dict())
        return
    for part in inspection_tables(found):
        results.print(part)
