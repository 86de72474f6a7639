"""`textbatch demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textbatch.cli.console import print_json, progress, results, say
from textbatch.cli.options import JsonOption, OverwriteOption


def demo_command(
    folder: Annotated[Path, typer.Option(help="Folder to write into.")] = Path("textbatch-demo"),
    overwrite: OverwriteOption = False,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    json: JsonOption = False,
) -> None:
    """Make up support tickets, train on some, score the others, show it all.

    Example: textbatch demo

    Needs nothing from outside and a minute or two.
    """
    from textbatch.cli.demo.tables import demo_lines, demo_tables
    from textbatch.cli.demo.walkthrough import run_demo

    shown = progress()
    try:
        done = run_demo(folder, seed=seed, overwrite=overwrite, say=say, progress=shown)
    finally:
        shown.end()
    if json:
        print_json(done.to_dict())
        return
    for part in demo_tables(done):
        results.print(part)
    for line in demo_lines(done):
        results.print(line, markup=False, soft_wrap=True)  # commands to copy
