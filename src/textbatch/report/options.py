"""The option of every command that writes a report."""

from __future__ import annotations

from textbatch.data.storage.location import Location, location_of
from textbatch.options import Options, option, options


@options
class ReportOptions(Options):
    """Where the run's report goes."""

    report: Location | None = option(
        "Write the run's report to this JSON file, on failure too.",
        default=None,
        of=location_of,
        decides=False,
        use="written",
    )
