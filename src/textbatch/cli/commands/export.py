"""`textbatch export`."""

from __future__ import annotations

from textbatch.cli.command import Given
from textbatch.cli.console import log, print_record, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.options import options
from textbatch.scoring.export_options import ExportConfig


@options
class ExportCommand(ExportConfig, PrintOptions):
    """What `textbatch export` takes."""


def export_command(given: Given[ExportCommand]) -> None:
    """Write a model in the form of another program.

    Example: textbatch export model model.onnx

    Its answers to the golden rows of the model are compared with the model's own.
    """
    from textbatch.report.files import failure_reported

    known = {name: str(given[name]) for name in ("model", "output")}
    with failure_reported(given["report"], lambda: known):
        config = given.made()
    from textbatch.report.listener import messages_to
    from textbatch.scoring.export import export_model

    done = export_model(config, listener=messages_to(log))
    line = (
        f"{done.output}: {done.format}, {done.bytes:,} bytes; its probabilities are within "
        f"{done.golden_rows.largest:.1g} of the model's on {done.golden_rows.rows} golden rows"
    )
    with told_if_possible():
        print_record(done.to_dict(), lambda: [line], as_json=config.json)
