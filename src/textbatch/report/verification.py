"""What `verify` reports: an output is as it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from textbatch.data.output.answer_counts import AnswerCounts
from textbatch.data.strict_json import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was checked of an output, and found right.

    Attributes:
        path: The file or the folder.
        parts: How many parts a folder has; None for a file.
        seal: The file's own sha256; None for a folder.
        rows: Rows in the output.
        rows_quarantined: Rows that were moved to the quarantine file.
        fingerprint: Fingerprint of the bundle that made it; of several a hash of all of theirs.
        run_id: Id of the run that wrote it.
        statuses: Rows by status.
        labels: Rows by predicted label.
        models: Of several models the answers of each; then `statuses` and `labels` are empty.
        bad_files: How many input files of a folder were set aside; None for a file.
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
    models: dict[str, AnswerCounts] = field(default_factory=dict)
    bad_files: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values; a file has no `parts`, a folder no `seal`."""
        record = {"kind": "verification", **to_json(self)}
        if not self.models:
            del record["models"]
        return {name: value for name, value in record.items() if value is not None}
