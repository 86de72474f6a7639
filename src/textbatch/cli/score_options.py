"""What `textbatch score` takes."""

from __future__ import annotations

from pathlib import Path

from textbatch.cli.options import PrintOptions
from textbatch.data.storage.location import is_local, local, local_only, resolved
from textbatch.errors import ConflictError, PlaceTakenError
from textbatch.options import Options, option, options
from textbatch.scoring.config import ScoreConfig


@options
class WatchOptions(Options):
    """Files about the run beside its report, and the memory that it may use."""

    max_memory: str | None = option(
        "Fail instead of using more memory than this, as 2G or 512M.",
        default=None,
        metavar="SIZE",
        decides=False,
    )
    metrics_file: Path | None = option(
        "Write the run's metrics for Prometheus to this .prom file.", default=None, decides=False
    )
    html: Path | None = option(
        "Write a page with pictures of the run to this HTML file.", default=None, decides=False
    )


@options
class ScoreCommand(ScoreConfig, WatchOptions, PrintOptions):
    """What `textbatch score` takes.

    Raises:
        PlaceTakenError: A file has another use.
        TextbatchError: Another subclass, where the page cannot be written.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.json and self.to_standard_output:
            raise ConflictError(
                "--json and the rows would both go to standard output", "give one a file: --report"
            )
        used = [*self.inputs, self.output, self.report, self.quarantine]
        taken = {resolved(path) for path in used if path}
        if self.html:
            local_only(self.html, "--html")
        for flag, path in (("--metrics-file", self.metrics_file), ("--html", self.html)):
            if path and path.resolve() in taken:
                raise PlaceTakenError(
                    f"{flag} names a file that has another use, {path}", "give it one of its own"
                )
            taken |= {path.resolve()} if path else set()
        if self.html:
            # Here, not at the top: `--help` must be quick.
            from textbatch.report.html.evaluation_page import check_page

            here = [local(path) for path in self.inputs if is_local(path)]
            check_page(self.html, here, local(self.model) if is_local(self.model) else None)
