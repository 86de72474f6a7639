"""`textbatch rollback`."""

from __future__ import annotations

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_record, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.options import options
from textbatch.scoring.releases.options import RollbackConfig


@options
class RollbackCommand(RollbackConfig, PrintOptions):
    """What `textbatch rollback` takes."""


def rollback_command(given: Given[RollbackCommand]) -> None:
    """Make an older version of a model the current one again.

    Example: textbatch rollback releases

    The version is loaded and checked first. `promote` keeps the last ones; `inspect` lists them.
    """
    from textbatch.report.files import failure_reported

    with failure_reported(given["report"], lambda: {"releases": str(given["releases"])}):
        config = given.made()
    from textbatch.scoring.releases.rollback import rollback

    done = rollback(config, warn=log)
    lines = {
        "done": f"{done.releases}: {done.version} is the current version again, instead of "
        f"{done.previous}",
        "unchanged": f"{done.releases}: {done.version} is the current version already; nothing "
        "was changed",
        "planned": f"{done.releases}: {done.version} would be the current version; nothing was "
        "changed",
    }
    with told_if_possible():
        print_record(done.to_dict(), lambda: [lines[done.state]], as_json=config.json)
