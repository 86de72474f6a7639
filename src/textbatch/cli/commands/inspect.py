"""`textbatch inspect`."""

from __future__ import annotations

from pathlib import Path

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_advice, print_json, results
from textbatch.cli.options import JsonOptions
from textbatch.cli.own_process import start_without_pandas
from textbatch.data.storage.location import Location, location_of
from textbatch.options import option, options


@options
class InspectCommand(JsonOptions):
    """What `textbatch inspect` takes."""

    path: Location = option(
        "A model directory, a folder of releases, or what score wrote.",
        argument=True,
        of=location_of,
        use="read",
    )
    migrate: Path | None = option(
        "Write the model into this new directory, in the format of this textbatch.",
        default=None,
        use="written",
        decides=False,
    )


def inspect_command(given: Given[InspectCommand]) -> None:
    """Show what a model or an output holds, in one screen.

    Example: textbatch inspect model
    """
    from textbatch.report.inspection import BundleInspection
    from textbatch.report.next_steps import after_inspect
    from textbatch.report.terminal.tables import inspection_tables
    from textbatch.scoring.inspect import inspect_path

    config = given.made()
    start_without_pandas()
    if config.migrate is not None:
        from textbatch.scoring.migrate import migrate

        migrate(config.path, config.migrate)
        log(f"{config.migrate}: the same model in the format of this textbatch")
    path = config.migrate or config.path
    found = inspect_path(path)
    if config.json:
        print_json(found.to_dict())
        return
    for part in inspection_tables(found):
        results.print(part)
    print_advice(after_inspect(path, is_model=isinstance(found, BundleInspection)))
