"""`textbatch diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_record, progress_shown, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.cli.own_process import start_without_pandas
from textbatch.cli.streams import drop_stdout
from textbatch.options import options
from textbatch.scoring.diff.options import DiffConfig

if TYPE_CHECKING:
    from textbatch.report.diffing import DiffReport


@options
class DiffCommand(DiffConfig, PrintOptions):
    """What `textbatch diff` takes."""


def diff_command(given: Given[DiffCommand]) -> None:
    """Show what has changed between two outputs, or two models: rows with another label.

    Example: textbatch diff last-night.parquet tonight.parquet --fail-if-flips 2%

    Rows are matched by their position, or by --key. Cells are quoted only with --columns.
    Exit code 69 where more labels have changed than --fail-if-flips allows.
    """
    from textbatch.report.files import failure_reported

    with failure_reported(given["report"], lambda: {"old": {"path": str(given["old"])}}):
        config = given.made()
    from textbatch.report.next_steps import after_diff, words_of
    from textbatch.report.terminal.diffing import diff_tables
    from textbatch.scoring.diff.diff import diff

    if not (config.html or config.on):
        start_without_pandas()
    if config.html:
        more = [f"{config.html}: the page, with pictures"]
    else:
        more = list(after_diff(["diff", *words_of(config, DiffConfig)]))

    def compared(found: DiffReport) -> None:
        # Here, because --fail-if-flips may fail: then these say what has changed.
        for warning in found.warnings:
            log(f"warning: {warning}")
        try:
            with told_if_possible():
                print_record(
                    found.to_dict(),
                    lambda: [*diff_tables(found), *more],
                    as_json=config.json,
                )
        except BrokenPipeError:  # nobody reads it, and the exit code is still to be told
            drop_stdout()

    with progress_shown() as shown:
        diff(config, progress=shown, compared=compared, warn=log)
