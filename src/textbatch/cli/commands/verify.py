"""`textbatch verify`."""

from __future__ import annotations

from textbatch.cli.command import Given
from textbatch.cli.console import print_advice, print_json, print_line, progress_shown
from textbatch.cli.options import JsonOptions
from textbatch.cli.own_process import start_without_pandas
from textbatch.data.storage.location import Location, location_of
from textbatch.model.named_models import NamedModels, models_of, places_of_models
from textbatch.options import option, options


@options
class VerifyCommand(JsonOptions):
    """What `textbatch verify` takes."""

    output: Location = option(
        "What score wrote: a file or a folder.",
        argument=True,
        of=location_of,
        use="read",
    )
    model: Location | NamedModels | None = option(
        "Check that this model made it; of several each as NAME=DIR.",
        default=None,
        flags=("--model", "-m"),
        of=models_of,
        repeats=True,
        reads=places_of_models,
        use="read",
    )


def verify_command(given: Given[VerifyCommand]) -> None:
    """Check that an output is as it was written.

    Example: textbatch verify out.parquet

    Recomputes the sha256 over the whole file, every page's checksum, rows and statuses. Exit
    code 65 when anything differs.
    """
    from textbatch.report.next_steps import after_verify
    from textbatch.scoring.verify import verify_output

    config = given.made()
    start_without_pandas()
    with progress_shown() as shown:
        found = verify_output(config.output, model=config.model, progress=shown)
    if config.json:
        print_json(found.to_dict())
        return
    parts = "" if found.parts is None else f"{found.parts:,} parts, "
    if found.bad_files:
        files = "input file" if found.bad_files == 1 else "input files"
        parts += f"{found.bad_files:,} {files} set aside, "
    print_line(f"{found.path}: {parts}{found.rows:,} rows, all as written by run {found.run_id}")
    print_advice(after_verify(config.output, tuple(found.models) or ("",)))
