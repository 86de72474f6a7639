"""What `textbatch score` takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from textbatch.cli.options import PrintOptions
from textbatch.data.storage.location import local_only
from textbatch.errors import ConflictError
from textbatch.options import Options, option, options
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.shard_options import share_in


@options
class MetricsOptions(Options):
    """The metrics of a run."""

    metrics_file: Path | None = option(
        "Write the run's metrics for Prometheus to this .prom file.",
        default=None,
        decides=False,
        use="written",
    )


@options
class WatchOptions(MetricsOptions):
    """Files about the run beside its report, and the memory that it may use."""

    max_memory: str | None = option(
        "Fail instead of using more memory than this, as 2G or 512M.",
        default=None,
        metavar="SIZE",
        decides=False,
    )
    html: Path | None = option(
        "Write a page with pictures of the run to this HTML file.",
        default=None,
        decides=False,
        use="written",
    )


@options
class ScoreCommand(ScoreConfig, WatchOptions, PrintOptions):
    """What `textbatch score` takes.

    Raises:
        ConflictError: The page would be in an object store.
        OutputError: The page cannot be written.
    """

    @classmethod
    def given(cls, values: Mapping[str, Any]) -> Self:
        """Make the options; what a scheduler tells of the share counts where no flag tells it."""
        if values.get("shard") is None:
            values = {**values, "shard": share_in(os.environ)}
        return super().given(values)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.json and self.to_standard_output:
            raise ConflictError(
                "--json and the rows would both go to standard output", "give one a file: --report"
            )
        if self.html:
            # Here, not at the top: `--help` must be quick.
            from textbatch.data.storage.file_io import new_output

            new_output(local_only(self.html, "--html")).check(stream=True)
