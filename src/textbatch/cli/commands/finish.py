"""`textbatch finish`."""

from __future__ import annotations

from pathlib import Path

from textbatch.cli.command import Given, short_id
from textbatch.cli.commands.score import print_scored
from textbatch.cli.console import log, print_json, print_line, progress_shown
from textbatch.cli.options import JsonOptions
from textbatch.cli.own_process import start_without_pandas
from textbatch.cli.score_options import MetricsOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.options import option, options
from textbatch.scoring.config import STAGES, written_for


@options
class FinishCommand(MetricsOptions, JsonOptions):
    """What `textbatch finish` takes."""

    output: Location = option(
        "The folder that the shares of score --shard were written to.",
        argument=True,
        of=location_of,
        use="written",
        writes=written_for,
    )
    work_dir: Path | None = option(
        "Where outputs for an object store are made.",
        default=None,
        unset="~/.cache",
        use="written",
        writes=lambda folder: (folder / STAGES,),
    )
    drift_history: Path | None = option(
        "Add the job to this JSONL file, and look for drift in the series of runs.",
        default=None,
        unset="only this job is looked at",
        use="written",
    )


def finish_command(given: Given[FinishCommand]) -> None:
    """Complete a folder whose shares were scored with score --shard.

    Example: textbatch finish scored/

    Checks that every part of the plan is there, its seal and its rows, writes the manifest, then
    _SUCCESS. Exit code 75 while parts are missing.
    """
    from textbatch.integrations.prometheus import failure_measured, write_success
    from textbatch.report.files import only_warned
    from textbatch.scoring.folder.finish import finish_output

    with failure_measured(given["metrics_file"]):
        config = given.made()
        start_without_pandas()
        with progress_shown() as shown:
            done = finish_output(
                config.output,
                run_id=short_id(given.run),
                work_dir=config.work_dir,
                drift_history=config.drift_history,
                progress=shown,
            )
    if config.metrics_file:
        with only_warned(f"the metrics file {config.metrics_file}", log):
            write_success(config.metrics_file, done)
    for note in done.notes:
        log(note)
    if config.json:
        print_json(done.to_dict())
    else:
        print_scored(done, print_line)
