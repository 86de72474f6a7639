"""Options about rows that are unlike those that the model was measured on."""

from __future__ import annotations

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
