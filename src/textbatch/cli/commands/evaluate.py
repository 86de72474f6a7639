"""`textbatch evaluate`."""

from __future__ import annotations

from contextlib import nullcontext

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_record, progress_shown, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.options import options
from textbatch.scoring.config import EvaluateConfig


@options
class EvaluateCommand(EvaluateConfig, PrintOptions):
    """What `textbatch evaluate` takes."""


def evaluate_command(given: Given[EvaluateCommand]) -> None:
    """Measure a model on labelled rows.

    Example: textbatch evaluate labelled.parquet --model model

    Rows without evidence count as wrong; labels that the model has never seen are listed and
    left out of the metrics.
    """
    from textbatch.report.files import failure_reported

    with failure_reported(given["report"], lambda: {"model": str(given["model"])}):
        config = given.made()
    from textbatch.data.readers.read_options import ReadOptions
    from textbatch.report.multi_label import MultiLabelEvaluation
    from textbatch.report.next_steps import after_evaluate, after_train, words_of
    from textbatch.report.terminal.multi_label import set_tables
    from textbatch.report.terminal.tables import evaluation_tables
    from textbatch.scoring.evaluate import evaluate

    with progress_shown() as shown:
        done = evaluate(config, progress=shown)
    for warning in done.warnings:
        log(f"warning: {warning}")
    if config.html:
        more = after_train(config.model, config.inputs, words_of(config, ReadOptions))
    else:
        more = after_evaluate(["evaluate", *words_of(config, EvaluateConfig)])
    if isinstance(done, MultiLabelEvaluation):
        more = iter(())  # a page is of one label for each row
    page = [f"{config.html}: the page, with pictures"] if config.html else []
    tables = set_tables(done) if isinstance(done, MultiLabelEvaluation) else evaluation_tables(done)
    # Without a file, stdout is all that there is of the figures.
    written = config.report or config.html
    with told_if_possible() if written else nullcontext():
        print_record(
            done.to_dict(),
            lambda: [*tables, *page, *more],
            as_json=config.json,
        )
