"""The report of a scoring run: one JSON record, written on failure too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from textbatch.data.strict_json import to_json
from textbatch.report.files import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a `score` run did.

    Attributes:
        run_id: Unique to the run; also in the output's footer.
        state: `done`, `failed`, `planned` (a dry run) or `skipped` (the output was there).
        input: Path of the input.
        output: Path of the output.
        model: Path of the bundle.
        fingerprint: The bundle's.
        textbatch: Version.
        engine: What ran the network.
        device: Where it ran.
        precision: Of the network's products.
        started: UTC, ISO 8601.
        seconds: Wall time of the whole run.
        rows_in: Rows read; in a dry run those that there are, null where only reading tells.
        rows_out: Rows in the output.
        rows_quarantined: Rows that left the output for the quarantine file.
        rows_resumed: Rows whose predictions an earlier run had noted.
        rows_per_second: Rows read over the seconds from the first to the last row.
        statuses: Rows in the output, by status.
        labels: Rows by predicted label.
        mean_confidence: Over the rows with a label.
        confidence_histogram: Rows that the network answered, by the confidence of its best label
            whether withheld or not, in 20 equal bins from 0 to 1.
        tokens: Tokens of the rows scored in this run, those of resumed rows left out.
        unknown_tokens: Those among them that the model does not know.
        seal: The output's own sha256, as `verify` recomputes it.
        files: Of a job over several files: how many were found, scored, known from before, and
            left out for their names.
        notes: What else the user should know.
        error: The error line of a failed run.
        exit_code: Of the process.
    """

    run_id: str
    input: str
    output: str
    model: str
    textbatch: str
    started: str
    state: Literal["done", "failed", "planned", "skipped"]
    fingerprint: str | None = None
    engine: str | None = None
    device: str | None = None
    precision: str | None = None
    seconds: float = 0.0
    rows_in: int | None = 0
    rows_out: int = 0
    rows_quarantined: int = 0
    rows_resumed: int = 0
    rows_per_second: float | None = None
    statuses: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    mean_confidence: float | None = None
    confidence_histogram: list[int] = field(default_factory=list)
    tokens: int = 0
    unknown_tokens: int = 0
    seal: str | None = None
    files: dict[str, int] | None = None
    notes: list[str] = field(default_factory=list)
    error: str | None = None
    exit_code: int = 0

    @property
    def oov_share(self) -> float | None:
        """Share of tokens that the model does not know; None where there was no token."""
        return self.unknown_tokens / self.tokens if self.tokens else None

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **to_json(self)}
