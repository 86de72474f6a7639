"""Options about rows that are unlike those that the model was measured on."""

from __future__ import annotations

from pathlib import Path

from textbatch.options import Options, option, options


@options
class DriftOptions(Options):
    """What happens where a run's rows have drifted."""

    warn_on_drift: bool = option(
        "Say on stderr if the rows are unlike those that the model was measured on.",
        default=False,
        decides=False,
    )
    fail_on_drift: bool = option(
        "Fail with 69, and publish nothing, if they are.", default=False, decides=False
    )
    drift_history: Path | None = option(
        "Add each run to this JSONL file, and look for drift in the series of runs.",
        default=None,
        unset="only this run is looked at",
        decides=False,
        use="written",
    )
