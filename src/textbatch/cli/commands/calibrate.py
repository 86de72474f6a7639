"""`textbatch calibrate`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from textbatch.cli.command import Given
from textbatch.cli.console import print_record, progress_shown, told_if_possible
from textbatch.cli.options import PrintOptions
from textbatch.options import options
from textbatch.scoring.confidences.options import CalibrateConfig

if TYPE_CHECKING:
    from textbatch.report.calibrating import CalibrateReport


@options
class CalibrateCommand(CalibrateConfig, PrintOptions):
    """What `textbatch calibrate` takes."""


def calibrate_command(given: Given[CalibrateCommand]) -> None:
    """Compare the confidences of any table with the truth, and write calibrated ones.

    Example: textbatch calibrate scores.csv --truth true.csv --output out.csv

    Rows are matched by their position, or by --key. The answers may be those of any model. What is
    measured of a map, is measured on rows that it was not fitted to.
    """
    from textbatch.report.files import failure_reported

    with failure_reported(given["report"], lambda: {"scores": str(given["scores"])}):
        config = given.made()
    from textbatch.scoring.confidences.calibrate import calibrate

    with progress_shown() as shown:
        done = calibrate(config, progress=shown)
    with told_if_possible():
        print_record(done.to_dict(), lambda: _shown(done), as_json=config.json)


def _shown(done: CalibrateReport) -> Iterator[Any]:
    from textbatch.report.terminal.calibrating import calibration_tables

    yield from calibration_tables(done)
    if done.output:
        yield f"{done.output}: the table with calibrated confidences"
