"""`textbatch review`."""

from __future__ import annotations

from textbatch.cli.command import Given
from textbatch.cli.console import print_record, progress_shown, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.cli.own_process import start_without_pandas
from textbatch.options import options
from textbatch.scoring.review.options import ReviewConfig


@options
class ReviewCommand(ReviewConfig, PrintOptions):
    """What `textbatch review` takes."""


def review_command(given: Given[ReviewCommand]) -> None:
    """List the rows whose labels would teach a model most, for people to label.

    Example: textbatch review scored.parquet --budget 200 --output queue.csv

    The rows that the model is least sure of, without copies. The file quotes their texts, and has
    an empty column for the label.
    """
    from textbatch.report.files import failure_reported

    with failure_reported(given["report"], lambda: {"output": str(given["output"])}):
        config = given.made()
    from textbatch.report.next_steps import after_review
    from textbatch.scoring.review.review import review

    start_without_pandas()
    with progress_shown() as shown:
        done = review(config, progress=shown)
    line = f"{done.output}: {done.chosen:,} of {done.rows:,} rows, to be labelled"
    more = after_review(done.output, config.text_column, config.label_column)
    with told_if_possible():
        print_record(done.to_dict(), lambda: [line, *more], as_json=config.json)
