"""What `verify` finds: an output that is as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textbatch.data.strict_json import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was recomputed of an output, all of it right.

    Attributes:
        path: Of the file, or of the folder.
        parts: Of a folder, how many; None for a file.
        seal: Of a file, its sha256; None for a folder.
        rows: In the output.
        rows_quarantined: Rows that left it for the quarantine file.
        fingerprint: Of the bundle that made it.
        run_id: Of the run that wrote it.
        statuses: Rows by status.
        labels: Rows by predicted label.
    """

    path: str
    parts: int | None = None
    seal: str | None = None
    rows: int
    rows_quarantined: int
    fingerprint: str
    run_id: str
    statuses: dict[str, int]
    labels: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values; a file has no `parts`, a folder no `seal`."""
        record = {"kind": "verification", **to_json(self)}
        return {name: value for name, value in record.items() if value is not None}
