"""The report of `audit`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from textbatch.report.files import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPair:
    """Rows of one label that likely belong to another label.

    Attributes:
        given: The label that they have.
        suggested: The label that the network predicts.
        rows: The number of such rows.
    """

    given: str
    suggested: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What an audit did.

    Attributes:
        output: The file with the rows.
        rows: Rows with a text and a known label.
        audited: Rows of these that have a word that the network knows.
        agreement: Share of the audited rows for which the network predicts their own label.
        found: Number of likely errors.
        pairs: Pairs of labels, the most frequent first.
        warnings: What the user should look at.
        state: `done`; the record of a failed run says `failed`.
    """

    output: str
    rows: int
    audited: int
    agreement: float
    found: int
    pairs: list[LabelPair]
    warnings: list[str]
    state: str = "done"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}
