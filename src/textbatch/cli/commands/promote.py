"""`textbatch promote`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_record, progress_shown, results, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.cli.streams import drop_stdout
from textbatch.options import options
from textbatch.scoring.releases.options import PromoteConfig

if TYPE_CHECKING:
    from textbatch.report.promotion import PromoteReport


@options
class PromoteCommand(PromoteConfig, PrintOptions):
    """What `textbatch promote` takes."""


def promote_command(given: Given[PromoteCommand]) -> None:
    """Put a new model in the place of the current one, if it is good enough.

    Example: textbatch promote new --to releases --on labelled.csv

    `score --model releases` takes the current version. A job that runs keeps the one it began with.
    """
    from textbatch.report.files import failure_reported

    with failure_reported(given["report"], lambda: {"model": str(given["model"])}):
        config = given.made()
    from textbatch.report.next_steps import after_promote
    from textbatch.report.terminal.releases import promotion_tables
    from textbatch.scoring.releases.promote import promote

    def measured(found: PromoteReport) -> None:
        # Here, because a requirement may fail: then these say how the models differ.
        if config.json:
            return
        try:
            with told_if_possible():
                for part in promotion_tables(found):
                    results.print(part)
        except BrokenPipeError:  # nobody reads it, and the model is still to be promoted
            drop_stdout()

    with progress_shown() as shown:
        done = promote(config, progress=shown, measured=measured, warn=log)
    for warning in done.warnings:
        log(f"warning: {warning}")
    lines = {
        "done": f"{done.to}: {done.version} is the current version now",
        "unchanged": f"{done.to}: this is the current model already; nothing was changed",
        "planned": f"{done.to}: the model would be promoted; nothing was changed",
    }
    first = done.previous is None
    more = after_promote(config.folder, first=first) if done.state == "done" else ()
    with told_if_possible():
        print_record(
            done.to_dict(),
            lambda: [lines[done.state], *more],
            as_json=config.json,
        )
