"""`textbatch import`."""

from __future__ import annotations

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_record, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.options import options
from textbatch.training.config.model_import import ImportConfig


@options
class ImportCommand(ImportConfig, PrintOptions):
    """What `textbatch import` takes."""


def import_command(given: Given[ImportCommand]) -> None:
    """Make a model from a Keras file and its Tokenizer, and run nothing in them.

    Example: textbatch import --keras m.keras --tokenizer t.pickle

    It reads texts as Keras did, and answers as Keras did. Needs neither Keras nor TensorFlow.
    """
    from textbatch.data.readers.read_options import ReadOptions
    from textbatch.report.files import failure_reported

    with failure_reported(given["report"], lambda: {"model": str(given["model"])}):
        config = given.made()
    from textbatch.report.listener import messages_to
    from textbatch.report.next_steps import after_train, words_of
    from textbatch.training.imported.model_import import import_model

    # Who imports has named no file of texts, and often not their column either.
    rows = [config.calibrate or "new.csv"]
    reading = [*words_of(config, ReadOptions), "--text-column", config.text_column]
    done = import_model(config, listener=messages_to(log))
    lines = [
        f"{done.model}: {done.network}",
        f"labels: {', '.join(done.labels)}",
    ]
    if done.calibration:
        lines.append(
            f"calibrated with {done.rows:,} rows: {done.accuracy:.1%} of them get their label"
        )
    with told_if_possible():
        print_record(
            done.to_dict(),
            lambda: [*lines, *after_train(done.model, rows, reading)],
            as_json=config.json,
        )
