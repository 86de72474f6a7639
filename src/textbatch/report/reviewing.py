"""The report of `review`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from textbatch.report.files import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReport:
    """Which rows people should label next.

    Attributes:
        output: The file with the rows.
        scored: The output that they are from.
        rows: Rows of this output.
        candidates: The least sure of them, from which copies were left out.
        chosen: Rows in the file; fewer than asked for where there are no more texts.
        mean_doubt: Mean doubt about the chosen rows: 1 less the difference of the two best
            probabilities, or less the confidence where the output has no more.
        state: `done`; the record of a failed run says `failed`.
    """

    output: str
    scored: str
    rows: int
    candidates: int
    chosen: int
    mean_doubt: float
    state: str = "done"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}
