"""`textbatch tune`."""

from __future__ import annotations

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_record, progress_shown, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.cli.then_train import train_words
from textbatch.options import options
from textbatch.training.config.tune import TuneConfig


@options
class TuneCommand(TuneConfig, PrintOptions):
    """What `textbatch tune` takes."""


def tune_command(given: Given[TuneCommand]) -> None:
    """Search settings that suit the rows; run again, it goes on.

    Example: textbatch tune tickets.csv --study study --trials 30

    The best are written to best.toml in the study's directory, for train --settings. Needs
    optuna, the extra `tune`.
    """
    from textbatch.report.files import failure_reported

    with failure_reported(given["report"], lambda: {"study": str(given["study"])}):
        config = given.made()
    from textbatch.report.next_steps import after_tune
    from textbatch.report.terminal.tuning import tuning_tables
    from textbatch.training.tune import tune

    with progress_shown() as shown:
        done = tune(config, listener=shown)
    for warning in done.warnings:
        log(f"warning: {warning}")
    words = train_words(given, config)
    with told_if_possible():
        print_record(
            done.to_dict(),
            lambda: [*tuning_tables(done), *after_tune(done, words)],
            as_json=config.json,
        )
