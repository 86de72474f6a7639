"""`textbatch profile`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_record, progress_shown, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.cli.own_process import start_without_pandas
from textbatch.cli.streams import drop_stdout
from textbatch.options import options
from textbatch.scoring.profile.options import ProfileConfig

if TYPE_CHECKING:
    from textbatch.report.profiling import ProfileReport


@options
class ProfileCommand(ProfileConfig, PrintOptions):
    """What `textbatch profile` takes."""


def profile_command(given: Given[ProfileCommand]) -> None:
    """Show what the texts of a file are like, or how those of another one differ.

    Example: textbatch profile last-week.parquet tonight.parquet --fail-on-drift

    It needs no model, and prints no text. Of outputs of score, labels and confidences are compared
    too. Exit code 69 where the second file has drifted, with --fail-on-drift.
    """
    from textbatch.report.files import failure_reported

    inputs = [str(one) for one in given["inputs"] or ()]
    with failure_reported(given["report"], lambda: {"inputs": inputs}):
        config = given.made()
    from textbatch.report.terminal.profiling import profile_tables
    from textbatch.scoring.profile.profile import profile

    start_without_pandas()

    def profiled(found: ProfileReport) -> None:
        # Here, because --fail-on-drift may fail: then these say what has moved.
        for warning in found.warnings:
            log(f"warning: {warning}")
        try:
            with told_if_possible():
                print_record(found.to_dict(), lambda: profile_tables(found), as_json=config.json)
        except BrokenPipeError:  # nobody reads it, and the exit code is still to be told
            drop_stdout()

    with progress_shown() as shown:
        profile(config, progress=shown, profiled=profiled, warn=log)
