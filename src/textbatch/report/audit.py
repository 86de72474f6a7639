"""What an audit of labels found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from textbatch.report.files import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPair:
    """Rows of one label that are likely of another.

    Attributes:
        given: The label that they have.
        suggested: The label that the network gives.
        rows: How many they are.
    """

    given: str
    suggested: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What an audit did.

    Attributes:
        output: The file with the rows.
        rows: With a text and a known label.
        audited: Of them, with a word that the network knew.
        agreement: Share of the audited rows that the network gave the label that they have.
        found: Likely errors.
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
