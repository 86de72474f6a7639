"""`textbatch demo`."""

from __future__ import annotations

from pathlib import Path

from textbatch.cli.command import Given
from textbatch.cli.console import (
    print_json,
    print_line,
    progress_shown,
    results,
    told_if_possible,
)
from textbatch.cli.options import JsonOptions
from textbatch.cli.then_train import overwriting
from textbatch.data.options import ReplaceOptions
from textbatch.options import option, options
from textbatch.training.config.groups import SeedOptions


@options
class DemoCommand(SeedOptions, ReplaceOptions, JsonOptions):
    """What `textbatch demo` takes."""

    folder: Path = option("Folder to write into.", default=Path("textbatch-demo"), use="written")
    files_only: bool = option(
        "Only write tickets.csv and others, as the pages of the documentation use them.",
        default=False,
    )


def demo_command(given: Given[DemoCommand]) -> None:
    """Make up support tickets, train on some, score the others, show it all.

    Example: textbatch demo

    Needs nothing from outside and a minute or two.
    """
    config = given.made()
    replaces = config.if_exists == "replace"
    if config.files_only:
        _files_only(given, config, replaces=replaces)
        return
    from textbatch.cli.demo.tables import demo_lines, demo_tables
    from textbatch.cli.demo.walkthrough import run_demo

    with progress_shown() as shown:
        done = run_demo(config.folder, seed=config.seed, overwrite=replaces, listener=shown)
    with told_if_possible():
        if config.json:
            print_json(done.to_dict())
            return
        for part in demo_tables(done):
            results.print(part)
        for line in demo_lines(done):
            results.print(line, markup=False, soft_wrap=True)  # commands to copy


def _files_only(given: Given[DemoCommand], config: DemoCommand, *, replaces: bool) -> None:
    from textbatch.cli.demo.files import LABELLED, write_files
    from textbatch.report.next_steps import after_files

    written = write_files(config.folder, seed=config.seed, overwrite=replaces)
    with told_if_possible():
        if config.json:
            print_json({"files": written})
            return
        for line in (*written, *after_files(config.folder / LABELLED, overwriting(given))):
            print_line(line)
